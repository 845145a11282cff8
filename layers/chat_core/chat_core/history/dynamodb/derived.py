"""What others keep in the table that was made of a history: erasing an item works on it in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from chat_core.history.records import Head
    from chat_core.keys import Address


class DerivedRows(Protocol):
    """A family of rows, each with the incarnation."""

    async def without(self, head: Head, seqs: Collection[int]) -> Sequence[dict[str, Any]]:
        """Give the actions that take items out of them, each conditional on the row being as it was read.

        Where one is cancelled for its condition it is asked again.
        """
        ...

    async def inherited(self, origin: Head, head: Head) -> Sequence[dict[str, Any]]:
        """Give the rows that a branch takes along: what was made of its origin up to the branch's seq.

        They are of the branch's incarnation; ``folds`` of its head has to be 1 if there are any.
        """
        ...

    async def erase_conversation(self, address: Address, *, keep: str) -> object:
        """Remove those that stand outside a conversation's partition, but an incarnation's; may be done again."""
        ...
