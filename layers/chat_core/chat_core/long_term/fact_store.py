"""What the core asks of where facts are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.history import Head
    from chat_core.long_term.facts import Assertion, Fact, Tombstone
    from chat_core.long_term.facts.records import Moment


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a user, as it is stored.

    Parameters
    ----------
    assertions
        What was said, and corrected.
    tombstones
        What is to be forgotten.
    forgotten
        Moves on whenever something is forgotten, and with the user's erasure: a fold that did not see the last time
        may not write. 0 where nothing was known yet.
    version
        Another one after each change of the user's facts, never one that there was before.
    until
        When the first of it expires, in seconds since the epoch; None: nothing does.
    """

    assertions: tuple[Assertion, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    forgotten: int = 0
    version: str = ""
    until: int | None = None

    @property
    def latest(self) -> Mapping[str, Moment]:
        """By digest: what was said at or before this moment is forgotten."""
        return {stone.digest: stone.moment for stone in self.tombstones}


class Found(NamedTuple):
    """What a fold found in turns.

    Parameters
    ----------
    first, last
        Seqs of the turns' first and last item.
    assertions
        What they tell; there may be nothing.
    forgotten
        See `Known`.
    """

    first: int
    last: int
    assertions: tuple[Assertion, ...]
    forgotten: int = 0


class FactStore(Protocol):
    """Where facts are kept: in the user's own partition, a row for each fold that found some.

    Every call raises `StoreUnavailable` when the store cannot be reached or refuses for load.
    """

    async def of_conversation(self, head: Head) -> Known:
        """Read what was said in a conversation of this incarnation, strongly consistent."""
        ...

    async def of_user(self, user: str) -> Known:
        """Read what was said in all conversations of a user."""
        ...

    async def correct(self, user: str, known: Known, fact: Fact, correction: Assertion) -> None:
        """Store what a person says instead.

        Parameters
        ----------
        known
            All facts of the user, as they were read; ``fact`` is one of them.

        Raises
        ------
        CommitConflict
            If what is stored changed meanwhile.
        """
        ...

    async def forget(self, user: str, fact: Fact, moment: Moment) -> None:
        """Take the fact's words out of all that is stored, and keep that it is not to be known from before the moment.

        Raises
        ------
        CommitConflict
            If what is stored changed meanwhile.
        """
        ...

    async def erase(self, head: Head) -> int:
        """Remove what folds found in a conversation, and tell how many rows went; corrections stay.

        Raises
        ------
        CommitConflict
            If the conversation has changed since: what is there may be of a newer fold.
        """
        ...

    async def forget_all(self, user: str) -> int:
        """Remove all facts of a user, and tell how many assertions went; what was to be forgotten stays forgotten."""
        ...

    async def erase_user(self, user: str) -> int:
        """Remove all that is kept of a user, what is to be forgotten too, and tell how many rows went.

        What a fold found that read what was known before is not written afterwards.
        """
        ...
