"""DynamoDB's refusals in the core's words, lost answers, corrupt rows, and a connection made on the first call."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.aws import NoAnswer, NotSent, Refused
from chat_core.errors import ChatError, StoreUnavailable
from chat_core.history import Deletion
from chat_core.history.dynamodb import Table
from chat_core.keys import Address
from tests.contract.history_store.builders import (
    CONVERSATION,
    HERE,
    MAX_BYTES,
    TOKEN,
    USER,
    Stores,
    bare,
    commit,
    converse,
    lease,
    message,
    seqs,
)
from tests.table_client import client_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.aws import AwsClient
    from tests.contract.history_store.dynamodb import StrictClient

pytestmark = pytest.mark.anyio

MARKER = {
    "type": "message",
    "role": "unknown",
    "status": "incomplete",
    "content": [{"type": "input_text", "text": "[this item cannot be read]"}],
}


def refusal(code: str, *reasons: str) -> Refused:
    answer: Any = {"Message": "a vendor's words"}
    if reasons:
        answer["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return Refused(code, 400, answer)


@pytest.mark.parametrize(
    "error",
    [
        refusal("ThrottlingException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("RequestLimitExceeded"),
        refusal("InternalServerError"),
        refusal("ResourceNotFoundException"),
        refusal("AccessDeniedException"),
        refusal("ValidationException"),
        refusal("TransactionInProgressException"),
        refusal("TransactionCanceledException", "None", "TransactionConflict"),
        refusal("TransactionCanceledException", "ThrottlingError", "None"),
        refusal("TransactionCanceledException", "None", "ValidationError"),
        NoAnswer("TimeoutError from dynamodb"),
        NotSent("no credentials"),
    ],
    ids=lambda error: error.code if isinstance(error, Refused) else type(error).__name__,
)
async def test_what_passes_is_store_unavailable(dynamo: Stores, client: StrictClient, error: Exception) -> None:
    head = await converse(dynamo)

    def fail(operation: str, _: Mapping[str, Any]) -> None:
        if operation in ("TransactWriteItems", "Query"):
            raise error

    client.before = fail
    for call in (
        dynamo.history.commit(head, commit(), token=None),
        dynamo.conversations.recent(USER, limit=1, after=None, order="desc"),
    ):
        with pytest.raises(StoreUnavailable) as unavailable:
            await call
        assert unavailable.value.retry_after_ms == 1_000
        assert "vendor" not in unavailable.value.message
    client.heal()
    assert await dynamo.history.head(HERE) == head


@pytest.mark.parametrize(
    "error",
    [refusal("TransactionCanceledException", "TransactionConflict"), refusal("TransactionConflictException")],
)
async def test_collisions_are_tried_again(dynamo: Stores, client: StrictClient, error: Exception) -> None:
    await converse(dynamo)
    failures = {"TransactWriteItems": 3, "UpdateItem": 2}

    def fail(operation: str, _: Mapping[str, Any]) -> None:
        if failures.get(operation):
            failures[operation] -= 1
            raise error

    client.before = fail
    head = await dynamo.leases.take(HERE, lease(), create=False)
    assert (await dynamo.history.commit(head, commit(), token=TOKEN)).seq == 4
    assert not any(failures.values())


async def test_a_table_that_is_missing(aws: AwsClient) -> None:
    store = Stores.in_dynamodb(Table("no-such-table", client=lambda: aws))
    with pytest.raises(StoreUnavailable):
        await store.leases.take(HERE, lease(), create=True)


async def test_nobody_listens() -> None:
    table = Table("table", client=lambda: client_at("http://127.0.0.1:1"))
    with pytest.raises(StoreUnavailable):
        await Stores.in_dynamodb(table).history.head(HERE)
    table.close()


@pytest.mark.parametrize("visible", [True, False])
async def test_a_lease_whose_answer_was_lost_is_had_by_asking_again(dynamo: Stores, *, visible: bool) -> None:
    if visible:
        await converse(dynamo)
    first = await dynamo.leases.take(HERE, lease(), create=True)
    assert await dynamo.leases.take(HERE, lease(), create=True) == first


async def test_a_creation_whose_answer_was_lost_is_looked_up(dynamo: Stores, client: StrictClient) -> None:
    def lose(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "TransactWriteItems":
            raise NoAnswer("the answer is lost")

    head = await converse(dynamo)
    await dynamo.conversations.erase(HERE)
    client.after = lose
    created = await dynamo.conversations.create(head, None)
    client.heal()
    assert (await dynamo.history.head(HERE)).incarnation == created.incarnation
    client.before = lose
    with pytest.raises(StoreUnavailable):
        await dynamo.conversations.create(replace(head, address=Address("user-2", CONVERSATION)), None)


async def test_a_lease_taken_while_others_erase_and_create(
    dynamo: Stores, client: StrictClient, table: str, aws: AwsClient
) -> None:
    """A conversation that appears between the two calls of a creating lease is found by the next try."""
    other = Stores.in_dynamodb(Table(table, client=lambda: aws))
    created = False

    def appear(operation: str, request: Mapping[str, Any]) -> None:
        nonlocal created
        if operation == "UpdateItem" and "if_not_exists" in request["UpdateExpression"] and not created:
            created = True
            asyncio.run(converse(other))  # in the thread of the call

    client.before = appear
    head = await dynamo.leases.take(HERE, lease("mine"), create=True)
    assert created
    assert head.seq == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"body": {"S": '{"type": "mess'}},
        {"body": {"S": "[1, 2]"}},
        {"body": {"B": b"no zlib stream"}},
        {"body": {"N": "1"}},
        {},
        {"parts": {"N": "1"}, "digest": {"S": "0" * 64}},
    ],
    ids=["cut", "not an object", "not compressed", "of another kind", "empty", "without its pieces"],
)
async def test_an_item_that_cannot_be_read_is_marked(
    dynamo: Stores,
    boto: Any,
    table: str,
    caplog: pytest.LogCaptureFixture,
    broken: Mapping[str, Any],
) -> None:
    head = await converse(dynamo, turns=2)
    key = {"pk": {"S": f"{USER}/{CONVERSATION}"}, "sk": {"S": "item#000000000002"}}
    row = boto.get_item(TableName=table, Key=key)["Item"]
    del row["body"]
    boto.put_item(TableName=table, Item={**row, **broken})
    with caplog.at_level(logging.WARNING, "chat_core"):
        page = await dynamo.conversations.page(head, limit=9, after=None, order="desc", max_bytes=MAX_BYTES)
    assert (seqs(page.data), page.has_more) == ([4, 3, 2, 1], False)
    assert bare(page.data[2]) == MARKER
    assert page.data[2].item["id"].startswith("msg_")
    assert page.data[2].turn_id == page.data[3].turn_id
    assert [record.getMessage() for record in caplog.records] == ["Item 2 of conversation my-chat cannot be read."]
    assert bare((await dynamo.history.items(head, 2, 2))[0]) == MARKER
    head = await dynamo.history.commit(head, commit(message("on it goes")), token=None)
    head = await dynamo.conversations.delete_items(head, Deletion([2], messages=1))
    assert await dynamo.history.items(head, 2, 2) == ()


async def test_a_piece_that_was_changed_is_noticed(dynamo: Stores, boto: Any, table: str) -> None:
    text = "".join(f"{number:x}" for number in range(400_000))
    head = await converse(dynamo)
    head = await dynamo.history.commit(head, commit(message(text)), token=None)
    key = {"pk": {"S": f"{USER}/{CONVERSATION}"}, "sk": {"S": "item#000000000003#0000"}}
    row = boto.get_item(TableName=table, Key=key)["Item"]
    row["data"]["B"] = row["data"]["B"][:-1] + b"!"
    boto.put_item(TableName=table, Item=row)
    assert bare((await dynamo.history.items(head, 3, 3))[0]) == MARKER


async def test_a_pinned_item_that_cannot_be_read_pins_nothing(dynamo: Stores, boto: Any, table: str) -> None:
    system = message("".join(f"{number:x}" for number in range(20_000)), "system")
    head = await converse(dynamo)
    head = await dynamo.history.commit(head, commit(system, system=system), token=None)
    key = {"pk": {"S": f"{USER}/{CONVERSATION}"}, "sk": {"S": "item#000000000003"}}
    boto.update_item(TableName=table, Key=key, UpdateExpression="REMOVE body")
    assert (await dynamo.history.head(HERE)).system is None


async def test_errors_tell_no_contents(dynamo: Stores) -> None:
    with pytest.raises(ChatError) as missing:
        await dynamo.history.head(Address("someone's secret name", "their-chat"))
    assert missing.value.message == "There is no such conversation."


async def test_the_connection_is_made_on_the_first_call_from_the_environment(
    endpoint: str, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    rows = Table(table)
    store = Stores.in_dynamodb(rows)
    head = await converse(store)
    rows.close()
    assert (await store.history.head(HERE)).incarnation == head.incarnation
    rows.close()
