"""What a turn with recall asks of DynamoDB beyond one without."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from chat_core.history.dynamodb.table import Table
from tests.integration.test_recall import QUESTION, talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.app import App

ALL_ON: dict[str, Any] = {"policy": "turn_window", "max_turns": 2, "recall": True, "entities": True}


@pytest.fixture
def reads() -> Iterator[Counter[str]]:
    """Count the rows' reads by what is asked for; each still goes the whole way."""
    seen: Counter[str] = Counter()
    query, get_all = Table.query, Table.get_all

    async def ranged(self: Table, request: Any, start: Any) -> Any:
        seen["blocks" if "recall#" in str(request) else "others"] += 1
        return await query(self, request, start)

    async def batch(self: Table, keys: Any) -> Any:
        seen["texts"] += 1
        return await get_all(self, keys)

    with mock.patch.object(Table, "query", ranged), mock.patch.object(Table, "get_all", batch):
        yield seen


def test_blocks_are_one_query_and_texts_one_read_and_the_next_turn_has_the_blocks(
    app: App, reads: Counter[str]
) -> None:
    name = talk(app, ALL_ON)
    for blocks in (1, 0):
        reads.clear()
        answer = app.turn(name, QUESTION)
        assert answer.body["omoide"]["memory"]["recalled"] != []
        assert (reads["blocks"], reads["texts"]) == (blocks, 1)
