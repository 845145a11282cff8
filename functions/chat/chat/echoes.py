"""What an answer repeats of its request is stored with it, and must fit before the model is paid."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from chat_core.errors import RequestTooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

ECHOES_LIMIT = 130_000
"""Bytes, compressed: what a row holds of an answer's frame (150,000), less what the answer itself brings."""

# Members of OpenAI's response object that come from the request, but for those of a bounded size.
_ECHOED = (
    "instructions",
    "tools",
    "text",
    "tool_choice",
    "metadata",
    "prompt",
    "reasoning",
    "model",
    "user",
    "prompt_cache_key",
)


def check_echoes(body: Mapping[str, Any]) -> None:
    """Refuse settings too large to be kept with an answer.

    Raises
    ------
    RequestTooLarge
        With the largest of them as ``param``.
    """
    written = {name: json.dumps(body[name], ensure_ascii=False).encode() for name in _ECHOED if name in body}
    if sum(map(len, written.values())) <= ECHOES_LIMIT:
        return
    sizes = {name: len(zlib.compress(data)) for name, data in written.items()}
    if sum(sizes.values()) > ECHOES_LIMIT:
        largest = max(sizes, key=sizes.__getitem__)
        message = f"`{largest}` is too large to be kept with the turn: {sizes[largest]:,} bytes when compressed."
        raise RequestTooLarge(message, param=largest)
