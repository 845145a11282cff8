"""JSON values as DynamoDB attributes: plain text, compressed, or a stream split over several rows."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from chat_core.messages import compact, read_stored_json, window_bits

Attribute = Mapping[str, Any]
"""A value with its DynamoDB type: ``{"S": …}``, ``{"N": …}``, ``{"B": …}`` or ``{"BOOL": …}``."""

COMPRESS_FROM = 1_024
"""Bytes of JSON from which compression may save a write unit."""

ROW_BYTES = 380_000
"""Most bytes of one value in a row: DynamoDB allows 409,600 a row, names and keys included."""


class Corrupt(Exception):
    """A stored value cannot be read."""


def json_bytes(value: object) -> bytes:
    """Write a JSON value compactly, in UTF-8; lone surrogates, which UTF-8 does not have, stay escaped."""
    text = compact(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def packed(value: object, *, compress_from: int = COMPRESS_FROM) -> Attribute:
    """Write a JSON value as text (S), or as a zlib stream (B) where that is shorter."""
    data = json_bytes(value)
    if len(data) > compress_from:
        stream = zlib.compress(data, wbits=window_bits(len(data)))
        if len(stream) < len(data):
            return {"B": stream}
    return {"S": data.decode()}


def unpacked(attribute: Attribute | None) -> tuple[Any, int]:
    """Read what `packed` wrote, and how many bytes of JSON it is.

    Raises
    ------
    Corrupt
        If it is not there, or no such value.
    """
    if attribute is None:
        raise Corrupt
    if "B" in attribute:
        return _from_stream(attribute["B"])
    return _from_json(str(attribute.get("S", "")).encode())


def split(attribute: Attribute) -> tuple[str, list[bytes]] | None:
    """Cut a value too large for a row into pieces of a zlib stream, with the stream's SHA-256; None if it fits."""
    return None if packed_bytes(attribute) <= ROW_BYTES else pieces_of(attribute)


def pieces_of(attribute: Attribute) -> tuple[str, list[bytes]]:
    """Cut a value as `split` does, whether it fits a row or not."""
    stream: bytes = attribute["B"] if "B" in attribute else zlib.compress(attribute["S"].encode())
    pieces = [stream[start : start + ROW_BYTES] for start in range(0, len(stream), ROW_BYTES)]
    return sha256(stream).hexdigest(), pieces


def joined(digest: str, pieces: list[bytes]) -> tuple[Any, int]:
    """Read what `split` wrote, as `unpacked` does.

    Raises
    ------
    Corrupt
        If the pieces are not those of the digest.
    """
    stream = b"".join(pieces)
    if sha256(stream).hexdigest() != digest:
        raise Corrupt
    return _from_stream(stream)


def packed_bytes(attribute: Attribute) -> int:
    """Count the bytes that a value takes up in a row."""
    ((_, value),) = attribute.items()
    return len(value) if isinstance(value, bytes) else len(str(value).encode())


def _from_stream(stream: bytes) -> tuple[Any, int]:
    try:
        return _from_json(zlib.decompress(stream))
    except zlib.error:
        raise Corrupt from None


def _from_json(data: bytes) -> tuple[Any, int]:
    try:
        return read_stored_json(data.decode()), len(data)
    except (ValueError, RecursionError):
        raise Corrupt from None
