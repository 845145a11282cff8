"""The stores under test: in memory, and DynamoDB's rows beside the history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from chat_core.history import Deletion
from chat_core.long_term import Change, Memory
from tests.contract.history_store.builders import Stores as HistoryStores
from tests.contract.history_store.builders import converse
from tests.contract.history_store.conftest import (  # noqa: F401
    anyio_backend,
    aws,
    boto,
    client,
    clock,
    definition,
    dynamo,
    endpoint,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.history import Head
    from chat_core.long_term.fact_store import FactStore, Found
    from tests.contract.history_store.builders import Clock


@dataclass
class Stores:
    """A store of facts, and the history that it stands beside."""

    history: HistoryStores

    @property
    def facts(self) -> FactStore:
        return self.history.facts

    async def talk(self, turns: int = 3, **where: str) -> Head:
        """Run turns of two items each."""
        return await converse(self.history, turns, **where)

    async def put(self, head: Head, found: Found) -> None:
        """Write what a fold found, in its transaction."""
        now = await self.history.history.head(head.address)
        memory = await self.history.long_term.read(now) or Memory(now.incarnation)
        memory = replace(memory, folds=now.folds).extracted(found.last)
        await self.history.long_term.change(now, Change(memory, found=found))

    async def erase_items(self, head: Head, seqs: Sequence[int]) -> None:
        """Erase items of the history."""
        now = await self.history.history.head(head.address)
        await self.history.conversations.delete_items(now, Deletion(seqs, messages=len(seqs)))


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest, clock: Clock) -> Stores:  # noqa: F811
    if request.param == "memory":
        return Stores(HistoryStores.in_memory(clock))
    return Stores(request.getfixturevalue("dynamo"))
