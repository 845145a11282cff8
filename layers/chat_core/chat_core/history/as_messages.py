"""The history's items as the messages that they are."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from chat_core.messages import from_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.history.records import StoredItem
    from chat_core.messages import Message


def stored_messages(stored: Sequence[StoredItem]) -> tuple[Message, ...]:
    """Read items of the history, in order, as messages, turn by turn."""
    return tuple(
        message
        for turn_id, turn in groupby(stored, key=attrgetter("turn_id"))
        for message in _turn_messages(turn_id, list(turn))
    )


def _turn_messages(turn_id: str, turn: Sequence[StoredItem]) -> tuple[Message, ...]:
    items = (stored.item for stored in turn)
    messages = from_items(items, turn_id=turn_id, created_at=turn[0].created_at, first_seq=1)
    # Deleted items leave holes: a place in the list is not yet one in the history.
    return tuple(replace(message, seq=turn[message.seq - 1].seq) for message in messages)
