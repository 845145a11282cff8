"""OpenAI's Embeddings API: a unit vector that follows from the input alone, by hashing its character n-grams."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import struct
from typing import TYPE_CHECKING, Any

from local.model.conversation import label, read_limit, read_model
from local.model.errors import above_limit, bad_request
from local.model.features import features
from local.model.usage import text_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DIMENSIONS = 1536
_MOST_DIMENSIONS = 3072
_MOST_INPUTS = 2048

Input = str | list[int]


def create(body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a request; the vectors stand in the order of its inputs.

    Raises
    ------
    ApiError
        The input is missing, empty, too long or of mixed kinds, or a setting is out of range.
    """
    read_model(body)
    inputs = _read_inputs(body.get("input"))
    dimensions = read_limit(body, "dimensions") or _DIMENSIONS
    if dimensions > _MOST_DIMENSIONS:
        raise above_limit("dimensions", _MOST_DIMENSIONS)
    encoding = body.get("encoding_format") or "float"
    if encoding not in {"float", "base64"}:
        raise bad_request("'encoding_format' is 'float' or 'base64'.", "encoding_format")
    used = sum(text_tokens(text, body["model"]) if isinstance(text, str) else len(text) for text in inputs)
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(_packed(text, dimensions), encoding)}
        for index, text in enumerate(inputs)
    ]
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": label(body), "usage": usage}


def _packed(text: Input, dimensions: int) -> bytes:
    """Return a text's vector as little-endian 32-bit floats: the sum of a random direction for each of its n-grams.

    What shares n-grams lies in like directions, what does not is nearly at right angles: enough to see recall at work,
    no more. A direction's beginning is the same whatever its length: as with OpenAI's models, fewer dimensions are
    the beginning of more, brought to length 1 again.
    """
    grams = [f"token {number}" for number in set(text)] if isinstance(text, list) else sorted(features(text))
    if len(grams) % 2 == 0:  # an odd number of ones and minus ones: no sum is 0, so the length is not 0 either
        grams.append(json.dumps(text))
    counts = _counted(grams, dimensions)
    numbers = [2 * count - len(grams) for count in counts]
    length = math.hypot(*numbers)
    return struct.pack(f"<{dimensions}f", *(number / length for number in numbers))


def _counted(grams: Sequence[str], dimensions: int) -> list[int]:
    """Count, for each dimension, the n-grams whose direction has a one there.

    The counters stand upright: the integer at place ``n`` holds bit ``n`` of every dimension's count, so that one
    addition counts in all of them.
    """
    size = (dimensions + 7) // 8
    planes: list[int] = []
    for gram in grams:
        carry = int.from_bytes(hashlib.shake_128(gram.encode()).digest(size), "little")
        for place, plane in enumerate(planes):
            planes[place], carry = plane ^ carry, plane & carry
            if not carry:
                break
        else:
            planes.append(carry)
    counts = [0] * dimensions
    for place, plane in enumerate(planes):
        bits = f"{plane:0{8 * size}b}"[::-1]
        counts = [count + (bit == "1") * (1 << place) for count, bit in zip(counts, bits, strict=False)]
    return counts


def _encoded(packed: bytes, encoding: str) -> str | list[float]:
    if encoding == "base64":
        return base64.b64encode(packed).decode()
    return list(struct.unpack(f"<{len(packed) // 4}f", packed))


def _read_inputs(given: object) -> list[Input]:
    if isinstance(given, str):
        inputs: list[Any] = [given]
    elif isinstance(given, list) and given and all(_is_token(number) for number in given):
        inputs = [given]
    elif isinstance(given, list):
        inputs = given
    else:
        inputs = []
    if not inputs:
        raise bad_request("'input' is missing or empty.", "input", "missing_required_parameter")
    if len(inputs) > _MOST_INPUTS:
        raise above_limit("input", _MOST_INPUTS)
    texts = all(isinstance(text, str) and text for text in inputs)
    token_lists = all(isinstance(ids, list) and ids and all(_is_token(number) for number in ids) for ids in inputs)
    if not texts and not token_lists:
        raise bad_request("'input' is text, or lists of tokens; not mixed, and none of them empty.", "input")
    return inputs


def _is_token(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
