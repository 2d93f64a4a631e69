"""Usage in the normal form."""

from fairlead.wire.gemini.usage import decode_usage


def test_thoughts_are_output_and_what_tools_read_is_input():
    told = {
        "promptTokenCount": 147,
        "toolUsePromptTokenCount": 360,
        "cachedContentTokenCount": 100,
        "candidatesTokenCount": 108,
        "thoughtsTokenCount": 168,
        "totalTokenCount": 783,
    }
    usage = decode_usage(told)

    assert usage.input_tokens == 507
    assert usage.output_tokens == 276
    assert usage.cache_read_tokens == 100
    assert usage.reasoning_tokens == 168
    assert usage.total_tokens == 783
    assert usage.raw == told
    assert usage.apart == {}


def test_what_is_not_told_is_not_known():
    usage = decode_usage({"promptTokenCount": 14})

    assert usage.output_tokens is usage.reasoning_tokens is usage.cache_read_tokens is None
    assert decode_usage({}) is decode_usage(None) is None


def test_what_is_charged_apart():
    def counts(**kinds):
        return [{"modality": name, "tokenCount": count} for name, count in kinds.items()]

    usage = decode_usage(
        {
            "promptTokensDetails": counts(TEXT=9, AUDIO=150, IMAGE=20, DOCUMENT=5, VIDEO=7),
            "toolUsePromptTokensDetails": counts(AUDIO=1),
            "cacheTokensDetails": counts(AUDIO=30, IMAGE=4, TEXT=1, VIDEO=2),
            "candidatesTokensDetails": counts(AUDIO=3, IMAGE=1290, TEXT=2, NEW=9, VIDEO=0),
        }
    )

    assert usage.apart == {
        "input_audio": 151,
        "input_image": 25,
        "input_video": 7,
        "cache_read_audio": 30,
        "cache_read_image": 4,
        "output_audio": 3,
        "output_image": 1290,
    }


def test_nonsense_is_survived():
    usage = decode_usage(
        {"promptTokenCount": "x", "promptTokensDetails": [3, {"modality": "AUDIO"}]}
    )

    assert usage.input_tokens is None
    assert usage.apart == {}
