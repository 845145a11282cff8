"""What the cache keeps: an answer or a vector, with its ages, in as few bytes as may be."""

from __future__ import annotations

import json
import random
import struct
import zlib
from typing import Any, NamedTuple

from chat_core.messages import compact, window_bits

TTL_JITTER = 0.1
MAX_VALUE_BYTES = 5_000_000

_PLAIN = b"\x01"
_DEFLATED = b"\x02"
_HEADER = struct.Struct("<ddIIHB")  # stored at, expires at, tokens, milliseconds, length of the model's name, width


class Envelope(NamedTuple):
    """An answer as it is kept.

    Parameters
    ----------
    stored_at, expires_at
        Seconds since the epoch: a reply's time is fixed when it is stored, and no hit makes it longer.
    upstream_ms
        How long the model took, in milliseconds.
    answer
        OpenAI's object.
    """

    stored_at: float
    expires_at: float
    upstream_ms: int
    answer: dict[str, Any]


class VectorEnvelope(NamedTuple):
    """One input's vector as it is kept.

    Parameters
    ----------
    stored_at, expires_at, upstream_ms
        As in `Envelope`; of a batch each vector has its share of the time.
    tokens
        Its share of what the batch was paid for.
    model
        The model's name as the provider answered it.
    width
        Bytes of a number: 4, or 8 where the provider's floats are none of 32 bits.
    numbers
        Little-endian floats.
    """

    stored_at: float
    expires_at: float
    upstream_ms: int
    tokens: int
    model: str
    width: int
    numbers: bytes


def draw_ttl(ttl: float) -> float:
    """Draw a time to live up to a tenth shorter, so that what came together does not go together."""
    return ttl * (1 - TTL_JITTER * random.random())  # noqa: S311 - spreads expiry, guards nothing


def pack(envelope: Envelope) -> bytes:
    """Write an answer's value."""
    content = {
        "stored_at": envelope.stored_at,
        "expires_at": envelope.expires_at,
        "upstream_ms": envelope.upstream_ms,
        "answer": envelope.answer,
    }
    return _shortest(compact(content).encode())


def unpack(value: bytes) -> Envelope | None:
    """Read an answer's value; None for one of another form, or one that is damaged: a miss, not an error."""
    try:
        content = json.loads((_content(value) or b"").decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("answer"), dict):
        return None
    times = [content.get(name) for name in ("stored_at", "expires_at", "upstream_ms")]
    if not all(isinstance(time, int | float) for time in times):
        return None
    return Envelope(content["stored_at"], content["expires_at"], content["upstream_ms"], content["answer"])


def _no_constant(name: str) -> float:
    raise ValueError(name)


def pack_vector(envelope: VectorEnvelope) -> bytes:
    """Write a vector's value."""
    model = envelope.model.encode("utf-8", "replace")[:255]
    header = _HEADER.pack(
        envelope.stored_at, envelope.expires_at, envelope.tokens, envelope.upstream_ms, len(model), envelope.width
    )
    return _shortest(header + model + envelope.numbers)


def unpack_vector(value: bytes) -> VectorEnvelope | None:
    """Read a vector's value; None as in `unpack`."""
    content = _content(value)
    if content is None or len(content) < _HEADER.size:
        return None
    stored_at, expires_at, tokens, upstream_ms, length, width = _HEADER.unpack_from(content)
    start = _HEADER.size + length
    numbers = content[start:]
    if width not in (4, 8) or not numbers or len(numbers) % width:
        return None
    model = content[_HEADER.size : start].decode("utf-8", "replace")
    return VectorEnvelope(stored_at, expires_at, upstream_ms, tokens, model, width, numbers)


def _shortest(content: bytes) -> bytes:
    """Put a byte for the form before the content, which is deflated when that is smaller."""
    deflated = zlib.compress(content, 6, wbits=window_bits(len(content)))
    return _DEFLATED + deflated if len(deflated) < len(content) else _PLAIN + content


def _content(value: bytes) -> bytes | None:
    form, content = value[:1], value[1:]
    if form == _PLAIN:
        return content
    if form != _DEFLATED:
        return None
    try:
        return zlib.decompress(content)
    except zlib.error:
        return None
