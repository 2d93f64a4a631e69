import pytest

from fairlead.core.usage import Usage
from fairlead.testing import ProviderContract, ScriptedProvider
from tests.support.scripts import endless, whatever


@pytest.mark.virtual_time
class TestScripted(ProviderContract):
    reports_usage = True

    def make_provider(self):
        return ScriptedProvider(whatever, usage=Usage(input_tokens=3, output_tokens=4))

    def make_scripted(self, *answers):
        return ScriptedProvider(endless(answers))
