"""What long-term memory asks of the index that recall searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from chat_core.history import Head
    from chat_core.keys import Address
    from chat_core.long_term.recall import Entry, Found, Query, Vectors


@dataclass(frozen=True, slots=True)
class Indexed:
    """One conversation's index, as of one state of the conversation.

    Parameters
    ----------
    address
        Whose conversation, and which.
    incarnation
        What was indexed of another conversation of the same name is not there.
    edits, folds
        The head's, which together name a state of the index: what was read of it for this state need not be read again.
    """

    address: Address
    incarnation: str
    edits: int = 0
    folds: int = 0

    @classmethod
    def of(cls, head: Head) -> Indexed:
        """Name the index of a conversation as its head was read."""
        return cls(head.address, head.incarnation, head.edits, head.folds)


class Addition(NamedTuple):
    """Turns that are new to an index.

    Parameters
    ----------
    entries
        Of whole turns.
    vectors
        What their signs are of; None: they have none.
    lifetime
        Seconds after which they may be removed; None: when the history is.
    """

    entries: tuple[Entry, ...]
    vectors: Vectors | None = None
    lifetime: int | None = None


class IndexStats(NamedTuple):
    """What an index holds of a conversation.

    Parameters
    ----------
    turns
        How many.
    bytes
        What they take in the store.
    up_to
        Seq of the last item that is indexed; 0: none is.
    models
        Of the embeddings, by name.
    """

    turns: int = 0
    bytes: int = 0
    up_to: int = 0
    models: tuple[str, ...] = ()


class RecallIndex(Protocol):
    """The turns of conversations, to be found by words and direction; it holds no text.

    Every call raises `StoreUnavailable` when the store cannot be reached or refuses for load.
    """

    async def put(self, indexed: Indexed, added: Addition) -> None:
        """Add a group of turns; it takes the place of a group with the same first turn.

        Parameters
        ----------
        added
            New turns, or a group that `stale` gave with its new vectors.

        Raises
        ------
        CommitConflict
            If items were erased since, or the conversation: nothing was written.
        """
        ...

    async def search(self, indexed: Indexed, query: Query, *, limit: int) -> Found:
        """Score the turns; see `chat_core.long_term.recall.search`."""
        ...

    async def stale(self, indexed: Indexed, vectors: Vectors) -> tuple[tuple[Entry, ...], ...]:
        """List the turns, in groups, that have no vector of this model and length, or one from before that time."""
        ...

    async def erase(self, indexed: Indexed, seqs: Collection[int] | None = None) -> int:
        """Remove the turns that hold any of these items, or all; tell how many went.

        Raises
        ------
        CommitConflict
            If all were to go, and the conversation has changed since: what is there may be of a newer fold.
        """
        ...

    async def stats(self, indexed: Indexed) -> IndexStats:
        """Tell what is there."""
        ...
