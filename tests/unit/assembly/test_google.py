"""Gemini and Vertex AI, out of settings."""

import pytest

from fairlead import ConfigurationError, GeminiProvider, VertexProvider
from fairlead.adapters.providers.gemini.settings import Settings as Gemini
from fairlead.adapters.providers.vertex.settings import Settings as Vertex
from fairlead.adapters.providers.vertex.settings import create
from fairlead.assembly.vendors import canonical, vendor
from fairlead.core.limits import TimeLimits


def made(name, settings):
    return vendor(name).create(settings, name=name, limits=TimeLimits(), engine=None)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("variable", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_gemini(monkeypatch, variable):
    assert Gemini().missing == "api_key"
    monkeypatch.setenv(variable, "k")
    settings = Gemini(model="gemini-x")

    provider = made("gemini", settings)

    assert settings.missing is None
    assert isinstance(provider, GeminiProvider)
    assert provider.model.name == "gemini-x"


def test_several_keys_of_gemini():
    assert Gemini(api_keys=("a", "b")).missing is None


def test_vertex(monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    settings = Vertex(access_token="t", location="us")

    provider = made("vertex", settings)

    assert settings.missing is None
    assert isinstance(provider, VertexProvider)
    assert provider.endpoint.endswith("/projects/p/locations/us")


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "access_token"),
        ({"access_token": "t"}, "project"),
        ({"access_token": "t", "base_url": "https://x.test"}, None),
        ({"api_key": "k"}, None),
    ],
)
def test_what_vertex_misses(given, missing):
    assert Vertex(**given).missing == missing


def test_vertex_without_anything():
    with pytest.raises(ConfigurationError):
        create(Vertex(), name="vertex", limits=TimeLimits(), engine=None)


@pytest.mark.parametrize(
    ("other", "name"), [("google", "gemini"), ("VertexAI", "vertex"), ("vertex_ai", "vertex")]
)
def test_other_names(other, name):
    assert canonical(other) == name
