"""A tiny vocabulary: all bytes, and a few pairs. Real ones are not part of this project."""

import hashlib
from base64 import b64encode

from fairlead.adapters.tokenizers.vocabularies import Vocabulary

PAIRS = [b"he", b"ll", b"hell", b"hello", b" w", b"or", b" wor", b"ld", b" world"]
TOKENS = [bytes([byte]) for byte in range(256)] + PAIRS
DATA = b"".join(b"%b %d\n" % (b64encode(token), rank) for rank, token in enumerate(TOKENS))
TINY = Vocabulary(
    family="tiny",
    encoding="tiny_base",
    sha256=hashlib.sha256(DATA).hexdigest(),
    size=len(DATA),
    pattern=r" ?\p{L}+|\p{N}|\s+|[^\s\p{L}\p{N}]+",
)
