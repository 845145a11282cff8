"""The numbers of an embedding in their three forms: floats in JSON, base64, and packed as they are kept."""

from __future__ import annotations

import base64
import binascii
import struct
from math import isfinite
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

EncodingFormat = Literal["float", "base64"]


def decode_embedding(embedding: object) -> tuple[int, bytes]:
    """Pack the numbers of an embedding as a provider answered it.

    Four bytes a number where that loses nothing, which is so with every provider whose floats are of 32 bits: then a
    vector that was asked for in one form is told in the other as the provider itself would.

    Parameters
    ----------
    embedding
        A list of numbers, or base64 of little-endian floats of 32 bits.

    Returns
    -------
    tuple
        Bytes of a number, 4 or 8, and the numbers, little-endian.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if isinstance(embedding, str):
        try:
            numbers = base64.b64decode(embedding, validate=True)
        except binascii.Error:
            raise ValueError("not base64") from None
        if not numbers or len(numbers) % 4:
            raise ValueError("no floats of 32 bits")
        return 4, numbers
    if not isinstance(embedding, list) or not embedding:
        raise ValueError("no embedding")
    if not all(type(number) in (int, float) and isfinite(number) for number in embedding):
        raise ValueError("no finite numbers")
    try:
        narrow = struct.pack(f"<{len(embedding)}f", *embedding)
        if list(_unpack(4, narrow)) == embedding:
            return 4, narrow
        return 8, struct.pack(f"<{len(embedding)}d", *embedding)
    except (OverflowError, struct.error):
        raise ValueError("numbers out of range") from None


def encode_embedding(width: int, numbers: bytes, encoding: EncodingFormat) -> str | list[float]:
    """Write packed numbers as OpenAI's ``encoding_format`` has them."""
    if encoding == "float":
        return list(_unpack(width, numbers))
    if width == 8:
        floats = _unpack(width, numbers)
        numbers = struct.pack(f"<{len(floats)}f", *floats)
    return base64.b64encode(numbers).decode()


def _unpack(width: int, numbers: bytes) -> Sequence[float]:
    return struct.unpack(f"<{len(numbers) // width}{'f' if width == 4 else 'd'}", numbers)
