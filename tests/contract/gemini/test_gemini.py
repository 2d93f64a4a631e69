"""Gemini keeps to the contract, over sockets, against a server that the mirror speaks for."""

import pytest

from fairlead import GeminiProvider, OfflineProvider
from fairlead.testing import ProviderContract, ScriptedProvider
from tests.support import google
from tests.support.scripts import endless


class TestGemini(ProviderContract):
    tools = True
    formats = True
    reports_usage = True
    url = ""

    @pytest.fixture(autouse=True)
    def _at(self, server):
        type(self).url = server.url(google.BASE)

    def make_provider(self):
        return self._asking(OfflineProvider())

    def make_scripted(self, *answers):
        return self._asking(ScriptedProvider(endless(answers)))

    def _asking(self, behind):
        google.BEHIND[:] = [behind]
        return GeminiProvider(
            api_key="k", base_url=self.url, model=google.MODEL, embedding_model=google.MODEL
        )
