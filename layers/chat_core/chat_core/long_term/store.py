"""What the core asks of where long-term memory is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from chat_core.history import NOTHING_UNFOLDED, Unfolded

if TYPE_CHECKING:
    from chat_core.history import Head, History
    from chat_core.keys import Address
    from chat_core.long_term.fact_store import FactStore, Found
    from chat_core.long_term.index import Addition, RecallIndex
    from chat_core.long_term.records import Memory


DueKind = Literal["due", "quiet"]


@dataclass(frozen=True, slots=True)
class Due:
    """That there is work on a conversation.

    Parameters
    ----------
    token
        Drawn whenever it is written: who did the work removes it only if nobody asked again meanwhile.
    since
        When, in seconds since the epoch.
    kind
        ``due``: a fold is, or something is to be made again. ``quiet``: there is as soon as it has come to rest.
    """

    token: str
    since: float
    kind: DueKind = "due"


class Waiting(NamedTuple):
    """A conversation on which there is work; see `Due`."""

    address: Address
    kind: DueKind


class Change(NamedTuple):
    """A change of what is remembered, made whole or not at all.

    Parameters
    ----------
    memory
        From now on; its ``folds`` are the head's, or one more after a fold.
    unfolded
        What is added to the head's, negative after a fold.
    fold_after
        See `Head`.
    edited
        Whether it takes away what a view may have shown: then `Head.edits` grows, and no copy is believed.
    due
        Whether there is work afterwards.
    added
        Turns that the index takes in.
    found
        Facts that turns tell.
    """

    memory: Memory
    unfolded: Unfolded = NOTHING_UNFOLDED
    fold_after: float = 0.0
    edited: bool = False
    due: bool = False
    added: tuple[Addition, ...] = ()
    found: Found | None = None


class LongTermStore(Protocol):
    """Where long-term memory is kept: beside the history, and consistent with it.

    Every call raises `StoreUnavailable` when the store cannot be reached or refuses for load.
    """

    async def read(self, head: Head) -> Memory | None:
        """Read what is remembered of this incarnation, strongly consistent; None when nothing is."""
        ...

    async def change(self, head: Head, change: Change) -> None:
        """Write what is remembered.

        Raises
        ------
        CommitConflict
            If the head is of another incarnation by now, its items were edited, or another has written.
        """
        ...

    async def due(self, address: Address, kind: DueKind = "due") -> Due | None:
        """Tell whether there is work on a conversation."""
        ...

    async def settle(self, address: Address, due: Due) -> None:
        """Take the work as done, unless it was asked for again."""
        ...

    async def put_off(self, head: Head, due: Due, *, until: float) -> None:
        """Have the work wait for a time, unless it was asked for again."""
        ...

    async def waiting(self, *, before: float, limit: int) -> tuple[Waiting, ...]:
        """List conversations on which there is work since before a time, the longest waiting first."""
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """What long-term memory is made of, and where it goes."""

    history: History
    memories: LongTermStore
    index: RecallIndex
    facts: FactStore
