"""What others keep in the table that was made of a history: erasing an item works on it in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from chat_core.history.records import Head


class DerivedRows(Protocol):
    """A family of rows in a conversation's partition, each with the incarnation."""

    async def without(self, head: Head, seqs: Collection[int]) -> Sequence[dict[str, Any]]:
        """Give the actions that take items out of them, each conditional on the row being as it was read.

        Where one is cancelled for its condition it is asked again.
        """
        ...
