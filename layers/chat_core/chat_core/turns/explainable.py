"""How much of a history is explained at once: every message of it is counted and shown, and nothing ends a count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chat_core.errors import RequestTooLarge
from chat_core.messages import to_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.messages import Message

EXPLAINED_BYTES = 2_000_000
"""Most bytes of JSON: what a function of half a processor counts in some seconds, and an answer of Lambda's holds."""

MESSAGE_BYTES = 300
"""What each message takes beside its own: 5,000 short ones are as much work as a megabyte and a half of text."""


def check_count(messages: int) -> None:
    """Refuse so many messages, whatever their size.

    Raises
    ------
    RequestTooLarge
        Telling the way out.
    """
    if messages * MESSAGE_BYTES > EXPLAINED_BYTES:
        raise _too_long(messages)


def check_size(messages: Sequence[Message]) -> None:
    """Refuse messages that are too many or too large.

    Raises
    ------
    RequestTooLarge
        Telling the way out.
    """
    left = EXPLAINED_BYTES
    for message in messages:
        written = json.dumps(to_items([message]), ensure_ascii=False)
        left -= len(written.encode("utf-8", "surrogatepass")) + MESSAGE_BYTES
        if left < 0:
            raise _too_long(len(messages))


def _too_long(messages: int) -> RequestTooLarge:
    return RequestTooLarge(
        f"{messages:,} messages are too much to explain at once. Name a policy that shows less, "
        "for example policy=message_window and max_messages=100, or page through the items.",
        param="policy",
        code="context_too_large",
    )
