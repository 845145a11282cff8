"""The answer to a turn: what the caller reads, what is stored of it, and how the one is made from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.keys import id_of
from chat_core.messages import from_items

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chat_core.cache import Reply
    from chat_core.history import Head, StoredItem
    from chat_core.messages import Item, Message, Turn
    from chat_core.turns.reports import MemoryReport, TurnReport

TITLE_LENGTH = 60


def with_ids(items: Iterable[Item], incarnation: str, first_seq: int) -> list[Item]:
    """Give items the ids of their places in the history.

    Parameters
    ----------
    items
        Stored items, in order.
    incarnation
        Of the conversation.
    first_seq
        Place of the first.
    """
    return [{"id": id_of(item, incarnation, seq), **item} for seq, item in enumerate(items, first_seq)]


def as_committed(turn: Turn, head: Head) -> tuple[list[Item], tuple[Message, ...]]:
    """Tell a turn's items and messages as the history has them.

    Parameters
    ----------
    turn
        As it was committed.
    head
        As the commit left it.
    """
    first = head.seq - len(turn.items) + 1
    items = with_ids(turn.items, head.incarnation, first)
    return items, from_items(items, turn_id=turn.id, created_at=turn.created_at, first_seq=first)


def announced(*, conversation: str, turn_id: str, memory: MemoryReport) -> dict[str, Any]:
    """Make what a turn adds to the model's response before there is an answer: what `frame_of` does, but the cache."""
    return {"conversation": {"id": conversation}, "omoide": {"turn_id": turn_id, "memory": memory}}


def frame_of(reply: Reply, *, conversation: str, turn_id: str, memory: MemoryReport) -> dict[str, Any]:
    """Make the answer's frame: the model's response without its items, with the conversation and our own members."""
    report: TurnReport = {"turn_id": turn_id, "cache": reply.cache, "memory": memory}
    return {
        **{name: value for name, value in reply.response.items() if name != "output"},
        "conversation": {"id": conversation},
        "omoide": report,
    }


def answer_of(frame: Mapping[str, Any], output: Sequence[Item]) -> dict[str, Any]:
    """Join a frame and its items to the answer."""
    return {**frame, "output": list(output)}


def answer_again(
    frame: Mapping[str, Any], items: Sequence[StoredItem], *, first_seq: int, inputs: int
) -> dict[str, Any]:
    """Make the answer of a turn that was committed before, equal to the first one.

    Parameters
    ----------
    items
        The turn's items as the history has them.
    first_seq, inputs
        The turn's first place, and how many places hold the caller's input.
    """
    return answer_of(frame, [stored.item for stored in items if stored.seq >= first_seq + inputs])


def title_of(messages: Iterable[Message]) -> str:
    """Take the first words that the user said, as a title."""
    for message in messages:
        words = " ".join(message.text.split()) if message.role == "user" else ""
        if words:
            return words if len(words) <= TITLE_LENGTH else words[: TITLE_LENGTH - 1] + "…"
    return ""
