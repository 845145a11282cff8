"""What can be read back: an answer of Lambda's holds 6 MB, and an item is never cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chat_core.errors import AnswerTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ITEM_BYTES = 6_000_000
"""Most bytes of an item as a part of Lambda's answer, where the body is JSON within a JSON text; the limit is 6 MiB."""


def check_returnable(items: Iterable[Mapping[str, Any]]) -> None:
    """Refuse items that nobody could read once they are in the history.

    Raises
    ------
    AnswerTooLarge
        If there is one.
    """
    for item in items:
        text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        # A character takes six bytes at most: few items come near.
        if 6 * len(text) <= ITEM_BYTES:
            continue
        size = len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if size > ITEM_BYTES:
            message = f"The model answered an item of {size:,} bytes, more than could be read back; nothing was stored."
            raise AnswerTooLarge(message)
