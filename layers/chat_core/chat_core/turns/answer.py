"""The answer to a turn: what the caller reads, what is stored of it, and how the one is made from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from chat_core.history import StoredItem
from chat_core.keys import id_of
from chat_core.messages import from_items

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chat_core.cache import Reply
    from chat_core.history import Head, StoredResponse
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


def as_committed(turn: Turn, head: Head) -> tuple[tuple[StoredItem, ...], tuple[Message, ...]]:
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
    stored = tuple(StoredItem(seq, turn.id, turn.created_at, item) for seq, item in enumerate(items, first))
    return stored, from_items(items, turn_id=turn.id, created_at=turn.created_at, first_seq=first)


class Told(NamedTuple):
    """What a turn adds to the model's response.

    Parameters
    ----------
    turn_id
        The turn's.
    memory
        What its view left of the history.
    own
        Members of OpenAI's that are not the model's to say: ``conversation``, ``previous_response_id``, ``store``.
    """

    turn_id: str
    memory: MemoryReport
    own: Mapping[str, Any]

    @property
    def announced(self) -> dict[str, Any]:
        """What is known before there is an answer: what `frame_of` adds, but the cache."""
        return {**self.own, "omoide": {"turn_id": self.turn_id, "memory": self.memory}}


def frame_of(reply: Reply, told: Told) -> dict[str, Any]:
    """Make the answer's frame: the model's response without its items and its id, with our own members."""
    report: TurnReport = {"turn_id": told.turn_id, "cache": reply.cache, "memory": told.memory}
    members = {name: value for name, value in reply.response.items() if name not in ("id", "output")}
    return {**members, **told.own, "omoide": report}


def answer_of(response: str, frame: Mapping[str, Any], output: Sequence[Item]) -> dict[str, Any]:
    """Join a response's id, its frame and its items to the answer."""
    return {"id": response, **frame, "output": list(output)}


def answer_again(response: StoredResponse, items: Sequence[StoredItem]) -> dict[str, Any]:
    """Make an answer that was given before, equal to the first one.

    Parameters
    ----------
    items
        The turn's items as the history has them.
    """
    first = response.first_seq + response.inputs
    return answer_of(response.id, response.frame, [stored.item for stored in items if stored.seq >= first])


def new_turn_id() -> str:
    """Draw an id for a turn."""
    return f"turn_{uuid4().hex}"


def title_of(messages: Iterable[Message]) -> str:
    """Take the first words that the user said, as a title."""
    for message in messages:
        words = " ".join(message.text.split()) if message.role == "user" else ""
        if words:
            return words if len(words) <= TITLE_LENGTH else words[: TITLE_LENGTH - 1] + "…"
    return ""
