"""What a view is computed from, when it is read anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core.history import stored_messages
from chat_core.memory import Earlier
from chat_core.turns.explainable import check_count

if TYPE_CHECKING:
    from chat_core.history import Head, History
    from chat_core.messages import Message

WHOLE_HISTORY = 1_000_000
EXPLAINED = 1_000
"""How many of the newest items an explanation tells one by one."""


@dataclass(frozen=True, slots=True)
class Past:
    """The newest messages of a conversation, and what is known of those before."""

    messages: tuple[Message, ...]
    earlier: Earlier


async def explained_past(history: History, head: Head, reach: int | None) -> Past:
    """Read as many of the newest messages as are explained one by one.

    Parameters
    ----------
    reach
        What the policy may show; None: all.

    Raises
    ------
    RequestTooLarge
        If that is too much for one answer.
    """
    if reach is None:
        check_count(head.messages)
    return await read_past(history, head, None if reach is None else max(reach, EXPLAINED))


async def read_past(history: History, head: Head, reach: int | None) -> Past:
    """Read the newest messages from the durable history."""
    limit = WHOLE_HISTORY if reach is None else reach
    stored = await history.tail(head, before=head.seq + 1, limit=limit) if head.seq else ()
    messages = stored_messages(stored)
    whole = len(stored) < limit
    count = 0 if whole else max(head.messages - len(messages), 0)
    return Past(messages, Earlier(whole=whole, count=count, anchor=head.anchor))
