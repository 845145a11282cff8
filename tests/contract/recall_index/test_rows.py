"""What the index in DynamoDB costs, and what two who change it at once make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import StoreUnavailable
from chat_core.history.dynamodb.table import Table
from chat_core.long_term.dynamodb import DynamoRecallIndex
from chat_core.long_term.index import Addition
from tests.contract.recall_index.test_index import OLD, entries, found, talk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.history_store.builders import Clock, Stores
    from tests.contract.history_store.dynamodb import StrictClient

pytestmark = pytest.mark.anyio


async def test_a_state_that_the_environment_knows_is_not_read_again(dynamo: Stores, client: StrictClient) -> None:
    _, indexed = await talk(dynamo, 70)
    await dynamo.index.put(indexed, Addition(entries(*(f"dog {n}" for n in range(70))), OLD))
    client.calls.clear()
    for _ in range(3):
        assert await found(dynamo, indexed, "dog 3")
    assert client.calls == ["Query"]
    await found(dynamo, replace(indexed, folds=1), "dog 3")
    await found(dynamo, replace(indexed, edits=1), "dog 3")
    assert client.calls == ["Query"] * 3


async def test_two_who_take_turns_out_of_a_block_do_not_bring_each_others_back(
    dynamo: Stores, client: StrictClient, table: str, clock: Clock
) -> None:
    head, indexed = await talk(dynamo)
    await dynamo.index.put(indexed, Addition(entries(), OLD))
    other = DynamoRecallIndex(Table(table, client=lambda: client, clock=clock))
    actions = await other.without(head, [4])
    await dynamo.index.erase(indexed, [6])
    with pytest.raises(Exception, match="TransactionCanceledException"):
        client.call("TransactWriteItems", {"TransactItems": [_named(action, table) for action in actions]})
    assert await other.erase(indexed, [4]) == 1
    assert (await dynamo.index.stats(indexed)).up_to == 2


async def test_a_block_that_is_always_rewritten_by_others_is_given_up(dynamo: Stores, client: StrictClient) -> None:
    _, indexed = await talk(dynamo)
    await dynamo.index.put(indexed, Addition(entries(), OLD))

    def rewrite(operation: str, request: Mapping[str, Any]) -> None:
        for action in request["TransactItems"] if operation == "TransactWriteItems" else ():
            ((_, fields),) = action.items()
            fields["ExpressionAttributeValues"][":revision"] = {"N": "99"}

    client.before = rewrite
    with pytest.raises(StoreUnavailable):
        await dynamo.index.erase(indexed, [4])


def _named(action: Mapping[str, Any], table: str) -> dict[str, Any]:
    return {kind: {"TableName": table, **fields} for kind, fields in action.items()}
