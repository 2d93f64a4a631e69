"""The contract, over real sockets, against a server that speaks this format."""

import pytest

from fairlead import AnthropicProvider
from fairlead.testing import ProviderContract
from tests.support.answers import script
from tests.support.messages_server import played


class TestAnthropic(ProviderContract):
    embeds = False
    tools = True
    formats = True
    reports_usage = True
    moment = 0.5
    wire = "auto"

    @pytest.fixture(autouse=True)
    def _served(self, server, request):
        request.instance.server = server

    def make_provider(self):
        return self._at("/offline")

    def make_scripted(self, *answers):
        script(*map(played, answers))
        return self._at("")

    def _at(self, path):
        return AnthropicProvider(
            base_url=self.server.url(path), api_key="k", model="claude-haiku-5-5", wire=self.wire
        )


class TestAnthropicWithoutStreamsUnderneath(TestAnthropic):
    """A plain question has a plain answer, of models that cannot be held to a schema too."""

    wire = "plain"

    def _at(self, path):
        return AnthropicProvider(
            base_url=self.server.url(path), api_key="k", model="claude-opus-4-1", wire=self.wire
        )
