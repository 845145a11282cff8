"""The stores under test: in memory, and DynamoDB's rows beside the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from chat_core.errors import CommitConflict
from chat_core.history.dynamodb.table import Cancelled, Table
from chat_core.long_term.dynamodb.fact_rows import found_actions
from chat_core.long_term.dynamodb.facts import DynamoFactStore
from tests.contract.history_store.builders import Stores as HistoryStores
from tests.contract.history_store.builders import converse
from tests.contract.history_store.conftest import (  # noqa: F401
    anyio_backend,
    boto,
    client,
    clock,
    definition,
    dynamo,
    endpoint,
    table,
)
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.history import InMemoryTable

if TYPE_CHECKING:
    from collections.abc import Collection

    from chat_core.history import Head
    from chat_core.long_term.fact_store import FactStore, Found
    from tests.contract.history_store.builders import Clock
    from tests.contract.history_store.dynamodb import StrictClient


@dataclass
class Stores:
    """A store of facts, and the history that it stands beside."""

    facts: FactStore
    history: HistoryStores
    table: Table | None = None

    async def talk(self, turns: int = 3, **where: str) -> Head:
        """Run turns of two items each."""
        return await converse(self.history, turns, **where)

    async def put(self, head: Head, found: Found) -> None:
        """Write what a fold found, as its transaction does."""
        if isinstance(self.facts, InMemoryFactStore):
            self.facts.put(head, found)
        elif self.table is not None and (actions := found_actions(head, found, expires_at=None)):
            try:
                await self.table.transact(actions)
            except Cancelled:
                raise CommitConflict from None

    async def erase_items(self, head: Head, seqs: Collection[int]) -> None:
        """Take evidence out, as the transaction of an erasure does."""
        if isinstance(self.facts, InMemoryFactStore):
            self.facts.without(head, seqs)
        elif self.table is not None and isinstance(self.facts, DynamoFactStore):
            await self.table.transact(await self.facts.without(head, seqs))


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest, clock: Clock) -> Stores:  # noqa: F811
    if request.param == "memory":
        in_memory = InMemoryTable(clock)
        return Stores(InMemoryFactStore(in_memory), HistoryStores.of(in_memory))
    client: StrictClient = request.getfixturevalue("client")  # noqa: F811
    beside = Table(request.getfixturevalue("table"), client=lambda: client, clock=clock, ttl_days=None)
    return Stores(DynamoFactStore(beside), request.getfixturevalue("dynamo"), beside)
