"""The indexes under test: in memory, and DynamoDB's rows beside the history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from chat_core.history.dynamodb.table import Table
from chat_core.long_term.dynamodb import DynamoRecallIndex
from chat_core.long_term.index import Indexed
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
from tests.fakes.recall import InMemoryRecallIndex

if TYPE_CHECKING:
    from chat_core.history import Head
    from chat_core.long_term.index import RecallIndex
    from tests.contract.history_store.builders import Clock
    from tests.contract.history_store.dynamodb import StrictClient


@dataclass
class Stores:
    """An index, and the history that it stands beside."""

    index: RecallIndex
    history: HistoryStores

    async def talk(self, turns: int = 3, **where: str) -> tuple[Head, Indexed]:
        """Run turns of two items each."""
        head = await converse(self.history, turns, **where)
        return head, Indexed(head.address, head.incarnation, head.edits)


@pytest.fixture
def dynamo_index(table: str, client: StrictClient, clock: Clock) -> DynamoRecallIndex:  # noqa: F811
    return DynamoRecallIndex(Table(table, client=lambda: client, clock=clock, ttl_days=None))


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest, clock: Clock) -> Stores:  # noqa: F811
    if request.param == "memory":
        in_memory = HistoryStores.in_memory(clock)
        return Stores(InMemoryRecallIndex(in_memory.history, clock=clock), in_memory)
    return Stores(request.getfixturevalue("dynamo_index"), request.getfixturevalue("dynamo"))
