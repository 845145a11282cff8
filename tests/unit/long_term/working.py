"""A worker of some parts, on stores in memory, as if it had been told that there is work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.deadline import Deadline
from chat_core.long_term.folding import MemoryWorker
from chat_core.long_term.folding import Stores as LongTermStores
from chat_core.tokens import counter_for
from tests.contract.history_store.builders import HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.keys import Address
    from chat_core.long_term.parts import Part
    from chat_core.observability import Count
    from tests.contract.history_store.builders import Stores


class Working:
    """Does the parts' work on conversations.

    Parameters
    ----------
    parts
        See `MemoryWorker`.
    settings
        Memory settings of conversations that have none.
    """

    def __init__(
        self,
        stores: Stores,
        parts: Sequence[Part],
        *,
        settings: Mapping[str, Any],
        clock: Callable[[], float],
        count: Count,
    ) -> None:
        self._table: Any = stores.long_term._table  # type: ignore[attr-defined]
        self.worker = MemoryWorker(
            LongTermStores(stores.history, stores.long_term, stores.index, stores.facts),
            parts,
            counter=counter_for("gpt-4o"),
            default_memory=settings,
            clock=clock,
            count=count,
        )

    async def work(self, *, at: Address = HERE, deadline: Deadline | None = None) -> bool:
        """Do it, and tell whether all is done."""
        self._table.put_due(at)
        end = await self.worker.work(at, deadline or Deadline.after(60))
        return end in ("nothing", "folded")
