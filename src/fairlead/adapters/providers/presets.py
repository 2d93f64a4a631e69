"""
Vendors that speak Chat Completions and need no code of their own, a row for each.

`open_provider("groq:some-model")` finds them by name, as it does those that have a folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...wire.openai_chat.dialect import Dialect
from ...wire.openai_chat.rules import ModelRule
from ._preset import Preset

_NO_LOGPROBS = (ModelRule(pattern=".*", refuses=frozenset({"logprobs"})),)

_ROWS = (
    Preset(
        dialect=Dialect(name="openrouter", reasoning="reasoning_details", cost=True),
        base_url="https://openrouter.ai/api/v1",
        key="OPENROUTER_API_KEY",
    ),
    Preset(
        dialect=Dialect(name="groq", fields={"top_k": None}, rules=_NO_LOGPROBS),
        base_url="https://api.groq.com/openai/v1",
        key="GROQ_API_KEY",
    ),
    Preset(
        dialect=Dialect(
            name="deepseek",
            fields={"top_k": None},
            reasoning="reasoning_content",
            json_schema=False,
            versioned=False,
        ),
        base_url="https://api.deepseek.com",
        key="DEEPSEEK_API_KEY",
    ),
    Preset(
        dialect=Dialect(name="xai", fields={"top_k": None}, reasoning_excluded=True, cost=True),
        base_url="https://api.x.ai/v1",
        key="XAI_API_KEY",
        also=("x-ai", "grok"),
    ),
    Preset(
        dialect=Dialect(name="together"),
        base_url="https://api.together.ai/v1",
        key="TOGETHER_API_KEY",
        also=("together-ai",),
    ),
    Preset(
        dialect=Dialect(name="cerebras", fields={"top_k": None}),
        base_url="https://api.cerebras.ai/v1",
        key="CEREBRAS_API_KEY",
    ),
    Preset(
        dialect=Dialect(
            name="perplexity",
            embeddings="int8",
            cost=True,
            versioned=False,
            embeddings_path="/v1/embeddings",
        ),
        base_url="https://api.perplexity.ai",
        key="PERPLEXITY_API_KEY",
    ),
    Preset(
        dialect=Dialect(name="huggingface"),
        base_url="https://router.huggingface.co/v1",
        key="HF_TOKEN",
        also=("hugging-face", "hf"),
    ),
    Preset(
        dialect=Dialect(
            name="zai",
            fields={"top_k": None},
            reasoning="reasoning_content",
            json_schema=False,
        ),
        base_url="https://api.z.ai/api/paas/v4",
        key="ZAI_API_KEY",
        also=("z-ai",),
    ),
    Preset(
        dialect=Dialect(name="moonshot", fields={"top_k": None}, reasoning="reasoning_content"),
        base_url="https://api.moonshot.ai/v1",
        key="MOONSHOT_API_KEY",
        also=("moonshotai", "kimi"),
    ),
    Preset(
        dialect=Dialect(name="alibaba"),
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        key="DASHSCOPE_API_KEY",
        also=("dashscope",),
    ),
    Preset(
        dialect=Dialect(name="snowflake", reasoning="reasoning_details"),
        base_url=None,  # https://<account>.snowflakecomputing.com/api/v2/cortex/v1
        key="SNOWFLAKE_PAT",
    ),
    Preset(
        dialect=Dialect(
            name="mistral",
            fields={"seed": "random_seed", "dimensions": "output_dimension"},
            rules=_NO_LOGPROBS,
            usage_unasked=True,
            reasoning="thinking",
            tool_call_id="[A-Za-z0-9]{9}",
            refusals=False,
            media="mistral",
        ),
        base_url="https://api.mistral.ai/v1",
        key="MISTRAL_API_KEY",
    ),
    Preset(
        dialect=Dialect(name="llama-cpp"),
        base_url="http://127.0.0.1:8080/v1",
        also=("llamacpp", "llama.cpp", "llama-server"),
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ROWS})
"""The rows by name."""
OTHER_NAMES: Mapping[str, str] = MappingProxyType(
    {other: preset.name for preset in _ROWS for other in preset.also}
)
"""What else people call them."""
