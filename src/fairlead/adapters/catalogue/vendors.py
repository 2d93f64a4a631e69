"""Who sends the bill: vendors by the names that people have for them."""

from __future__ import annotations

from collections.abc import Mapping

_OTHER_NAMES: Mapping[str, str] = {
    "amazon-bedrock": "aws",
    "aws-bedrock": "aws",
    "azure-openai": "azure",
    "bedrock": "aws",
    "gemini": "google",
    "google-gemini": "google",
    "google-genai": "google",
    "google-vertex": "google",
    "grok": "x-ai",
    "moonshot": "moonshotai",
    "together-ai": "together",
    "vertex": "google",
    "vertexai": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
    "z-ai": "zai",
    "zhipu": "zhipuai",
}


def vendor_name(name: str) -> str:
    """*name* as price lists have it."""
    plain = name.strip().lower().replace("_", "-")
    return _OTHER_NAMES.get(plain, plain)


def is_address(name: str) -> bool:
    """Whether it is one rather than a name."""
    return "://" in name
