from fairlead.wire.codec import Codec, StreamDecoder
from fairlead.wire.openai_chat import OPENAI, Dialect, OpenAIChatCodec


def test_it_speaks_to_openai_unless_told_otherwise():
    assert OpenAIChatCodec().dialect is OPENAI


def test_it_is_a_codec():
    codec: Codec = OpenAIChatCodec()
    decoder: StreamDecoder = codec.stream_decoder()

    assert decoder.error is None
    assert not decoder.ended


def test_a_stream_is_lossless_where_usage_comes_with_it():
    assert OpenAIChatCodec().lossless_stream
    assert not OpenAIChatCodec(Dialect(name="s", usage_in_stream=False)).lossless_stream
