"""JSON in few bytes, and how it is compressed: what is written to every store."""

from __future__ import annotations

import json
import zlib

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""Write a JSON value without spaces, with text as it is."""

_LOOKAHEAD = 262  # of zlib's window, what no match can lie in: MIN_LOOKAHEAD in its deflate.h


def window_bits(size: int) -> int:
    """Tell zlib's smallest window (``wbits``) that reaches over a content whole.

    zlib's own is of 32 KiB: for a few KiB of content its memory takes three times as long to prepare as the content
    to compress. What comes out is the same, and every reader takes a smaller window.

    Parameters
    ----------
    size
        Bytes of the content.

    Examples
    --------
    >>> window_bits(3_000), window_bits(1_000_000)
    (12, 15)
    """
    return min(zlib.MAX_WBITS, max(9, (size + _LOOKAHEAD).bit_length()))
