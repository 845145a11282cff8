"""Responses that are stored: the answer of a turn by its id, to be read, gone on from and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from chat_core.history.records import StoredItem
from chat_core.keys import Address, id_of, response_id, unnamed_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.history.records import Commit, Head
    from chat_core.messages import Item


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The answer of a turn, or of a call without a conversation.

    Parameters
    ----------
    user
        Whose it is.
    incarnation
        Of the conversation; of a call without one, drawn for it: a conversation that goes on from it takes it over.
    first_seq, last_seq
        The turn's items in the history, both inclusive.
    inputs
        How many of them are the caller's input; the rest are the model's output.
    frame
        The answer without its items and its id: model, times, usage and our own members. Nothing else holds it.
    turn_id
        Of the turn that its items are.
    created_at, expires_at
        Seconds since the epoch.
    conversation
        The conversation's id; empty where none was made of it.
    items
        Its own items, without ids, where there is no conversation to have them.
    shown
        Whether its user may read it. Else it is kept for a retry of its request alone.
    """

    user: str
    incarnation: str
    first_seq: int
    last_seq: int
    inputs: int
    frame: Mapping[str, Any]
    turn_id: str
    created_at: int
    expires_at: int
    conversation: str = ""
    items: tuple[Item, ...] = ()
    shown: bool = True

    @classmethod
    def of(cls, head: Head, commit: Commit) -> StoredResponse:
        """Make that of a turn which is committed behind a head."""
        return cls(
            user=head.address.user,
            incarnation=head.incarnation,
            first_seq=head.seq + 1,
            last_seq=head.seq + len(commit.turn.items),
            inputs=commit.inputs,
            frame=commit.frame,
            turn_id=commit.turn.id,
            created_at=commit.turn.created_at,
            expires_at=commit.kept_until,
            conversation=head.conversation,
            shown=commit.shown,
        )

    @property
    def id(self) -> str:
        """The response's id."""
        return response_id(self.incarnation, self.first_seq)

    @property
    def own_items(self) -> tuple[StoredItem, ...]:
        """Its own items at their places."""
        return tuple(
            StoredItem(seq, self.turn_id, self.created_at, {"id": id_of(item, self.incarnation, seq), **item})
            for seq, item in enumerate(self.items, self.first_seq)
        )

    @property
    def address(self) -> Address:
        """Of its conversation, also where that is still to be made."""
        if self.conversation:
            return Address(self.user, self.conversation)
        return unnamed_address(self.user, self.incarnation)


class Alone(NamedTuple):
    """Names a response that has no conversation.

    Parameters
    ----------
    incarnation, seq
        As `StoredResponse` has them.
    parts
        How many further rows it has.
    """

    incarnation: str
    seq: int
    parts: int = 0


class ResponseStore(Protocol):
    """Where responses are, beside the history and consistent with it.

    A turn's is written by `History.commit`. Every call raises `StoreUnavailable` when the store cannot be reached or
    refuses for load.
    """

    async def read(self, user: str, incarnation: str, seq: int) -> StoredResponse | None:
        """Read a response, strongly consistent; None where there is none, or it has expired."""
        ...

    async def put(self, response: StoredResponse) -> None:
        """Store a response that has no conversation, with its items, in one try.

        Raises
        ------
        RequestTooLarge
            If it is larger than what is stored at once.
        """
        ...

    async def prepare(self) -> None:
        """Make ready what `put` needs, while there is time."""
        ...

    async def alone(self, user: str) -> tuple[Alone, ...]:
        """List a user's responses that have no conversation; what was just erased may still be among them."""
        ...

    async def erase(self, user: str, alone: Sequence[Alone]) -> None:
        """Remove responses that have no conversation."""
        ...

    async def delete(self, user: str, incarnation: str, seq: int) -> bool:
        """Delete a response; tell whether there was one. The turn stays in its history."""
        ...

    async def is_empty(self, user: str, incarnation: str) -> bool:
        """Tell whether no response of an incarnation is left."""
        ...

    async def conversation_of(self, user: str, incarnation: str) -> str | None:
        """Name the conversation of an incarnation; None where it is not known."""
        ...
