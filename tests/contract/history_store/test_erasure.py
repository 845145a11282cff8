"""An erasure leaves no row, goes on where a killed one stopped, and takes nothing from a new conversation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import NotFound, StoreUnavailable
from chat_core.history import Deletion
from chat_core.history.dynamodb import Table
from chat_core.history.records import IdempotencyKey
from chat_core.keys import Address
from tests.contract.history_store.builders import (
    HERE,
    TOKEN,
    USER,
    Clock,
    Stores,
    commit,
    converse,
    lease,
    message,
    recorded,
    seqs,
)
from tests.contract.history_store.dynamodb import Killed, StrictClient, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.aws import AwsClient
    from chat_core.history.records import Head

pytestmark = pytest.mark.anyio

KEYS = [IdempotencyKey(USER, "route", f"key {number}") for number in range(3)]


async def long_conversation(store: Stores) -> Head:
    """Make a conversation of 102 items and 3 records: more than a transaction takes."""
    head = await converse(store)
    head = await store.history.commit(head, commit(*(message(f"item {n}") for n in range(97))), token=None)
    for key in KEYS:
        head = await store.history.commit(head, recorded(key, head, message("keyed")), token=None)
    return head


async def test_no_row_is_left(dynamo: Stores, boto: Any, table: str) -> None:
    await long_conversation(dynamo)
    await converse(dynamo, conversation="other")
    incarnation = (await dynamo.history.head(Address(USER, "other"))).incarnation
    others = [key for key in rows_of(boto, table) if key[0] in (f"{USER}/other", f"{USER}/responses#{incarnation}")]
    # The head, items, records with their pointers, and responses with the conversation's name.
    assert len(rows_of(boto, table)) == 1 + 102 + 6 + 6 + len(others)
    gone = {"conversations": 1, "items": 102, "idempotency_records": 3, "responses": 5}
    assert await dynamo.conversations.erase(HERE) == gone
    assert rows_of(boto, table) == others


CALLS = [("TransactWriteItems", call) for call in (1, 2, 3)]
CALLS += [("Query", 1), ("Query", 2), ("Query", 3), ("GetItem", 2), ("DeleteItem", 1)]


@pytest.mark.parametrize("kill", [(*call, sent) for call in CALLS for sent in (False, True)])
async def test_a_killed_erasure_is_gone_on_with(
    dynamo: Stores, boto: Any, client: StrictClient, table: str, kill: tuple[str, int, bool]
) -> None:
    operation, call, sent = kill
    head = await long_conversation(dynamo)
    client.kill(operation, call, sent=sent)
    with pytest.raises(Killed):
        await dynamo.conversations.erase(HERE)
    client.heal()
    if (operation, call) != ("TransactWriteItems", 1) or sent:
        with pytest.raises(NotFound):
            await dynamo.history.head(HERE)
        with pytest.raises(NotFound):
            await dynamo.history.commit(head, commit(), token=None)
        assert (await dynamo.conversations.recent(USER, limit=5, after=None, order="desc")).data == ()
    if kill != ("DeleteItem", 1, True):
        await dynamo.conversations.erase(HERE)
    assert rows_of(boto, table) == []
    with pytest.raises(NotFound):
        await dynamo.conversations.erase(HERE)


@pytest.mark.parametrize("operation", ["Query", "GetItem", "TransactWriteItems"])
async def test_a_new_conversation_of_the_name_loses_nothing(
    dynamo: Stores, boto: Any, aws: AwsClient, client: StrictClient, table: str, *, operation: str
) -> None:
    await long_conversation(dynamo)
    new: list[Head] = []
    other = Stores.in_dynamodb(Table(table, client=lambda: aws))

    async def begin() -> None:
        await converse(other)
        head = await other.history.head(HERE)
        await other.history.commit(head, recorded(IdempotencyKey(USER, "route", "new"), head), token=None)
        new.append(await other.history.head(HERE))

    def meanwhile(name: str, _: Mapping[str, Any]) -> None:
        # Once the conversation is hidden, which is the first thing that is done after its head is read.
        if name == operation and len(client.calls) > 2 and not new:
            asyncio.run(begin())  # in the thread of the call

    client.calls.clear()
    client.before = meanwhile
    assert (await dynamo.conversations.erase(HERE))["conversations"] == 1
    client.heal()
    head = await dynamo.history.head(HERE)
    assert (head.incarnation, head.seq) == (new[0].incarnation, 4)
    assert seqs(await dynamo.history.items(head, 1, 100)) == [1, 2, 3, 4]
    assert await dynamo.history.record(IdempotencyKey(USER, "route", "new")) is not None
    assert len(rows_of(boto, table)) == 1 + 4 + 2 + 3
    gone = {"conversations": 1, "items": 4, "idempotency_records": 1, "responses": 2}
    assert await dynamo.conversations.erase(HERE) == gone
    assert rows_of(boto, table) == []


async def test_rows_that_a_killed_erasure_left_are_not_a_new_conversations(
    dynamo: Stores, boto: Any, client: StrictClient, table: str
) -> None:
    await long_conversation(dynamo)
    client.kill("Query", 1)
    with pytest.raises(Killed):
        await dynamo.conversations.erase(HERE)
    client.heal()
    head = await converse(dynamo)
    assert seqs(await dynamo.history.items(head, 1, 1_000)) == [1, 2]
    head = await dynamo.history.commit(head, commit(), token=None)
    assert seqs(await dynamo.history.tail(head, before=1_000, limit=1_000)) == [1, 2, 3, 4]
    gone = {"conversations": 1, "items": 102, "idempotency_records": 3, "responses": 7}
    assert await dynamo.conversations.erase(HERE) == gone
    assert rows_of(boto, table) == []


async def test_a_record_that_another_conversation_took_over_stays(
    dynamo: Stores, boto: Any, table: str, clock: Clock
) -> None:
    head = await converse(dynamo)
    await dynamo.history.commit(head, recorded(KEYS[0], head, now=clock.now), token=None)
    clock.now += 86_401
    head = await converse(dynamo, conversation="other")
    await dynamo.history.commit(head, recorded(KEYS[0], head, now=clock.now), token=None)
    gone = {"conversations": 1, "items": 4, "idempotency_records": 0, "responses": 2}
    assert await dynamo.conversations.erase(HERE) == gone
    record = await dynamo.history.record(KEYS[0])
    assert record is not None
    assert record.conversation == "other"
    assert await dynamo.conversations.erase(Address(USER, "other")) == {
        "conversations": 1,
        "items": 4,
        "idempotency_records": 1,
        "responses": 2,
    }
    assert rows_of(boto, table) == []


async def test_a_key_used_twice_in_one_conversation(dynamo: Stores, boto: Any, table: str, clock: Clock) -> None:
    head = await converse(dynamo)
    for _ in range(2):
        head = await dynamo.history.commit(head, recorded(KEYS[0], head, now=clock.now), token=None)
        clock.now += 86_401
    assert (await dynamo.conversations.erase(HERE))["idempotency_records"] == 1
    assert rows_of(boto, table) == []


async def test_two_erasures_at_once(dynamo: Stores, boto: Any, table: str) -> None:
    await long_conversation(dynamo)
    calls = (dynamo.conversations.erase(HERE) for _ in range(2))
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(result, dict | NotFound | StoreUnavailable) for result in results)
    counted = [result for result in results if isinstance(result, dict)]
    assert sum(counts["items"] for counts in counted) <= 102
    assert sum(counts["conversations"] for counts in counted) <= 1
    if not counted:  # each in the other's way
        await dynamo.conversations.erase(HERE)
    assert rows_of(boto, table) == []


async def test_parallel_deletions_count_each_item_once(dynamo: Stores) -> None:
    await long_conversation(dynamo)
    head = await dynamo.leases.take(HERE, lease(), create=False)
    wanted = [range(1, 31), range(21, 51), range(1, 51)]
    await asyncio.gather(*(dynamo.conversations.delete_items(head, Deletion(seqs, messages=0)) for seqs in wanted))
    await dynamo.leases.release(HERE, TOKEN)
    now = await dynamo.history.head(HERE)
    assert (now.items, now.seq) == (52, 102)
    assert seqs(await dynamo.history.items(now, 1, 102)) == list(range(51, 103))


async def gone() -> bool:
    return True


async def not_gone() -> bool:
    return False


async def test_where_copies_remain_a_row_leads_to_them_as_long_as_they_may_last(store: Stores) -> None:
    await converse(store)
    assert (await store.conversations.erase(HERE, copies=not_gone))["conversations"] == 1
    with pytest.raises(NotFound):
        await store.history.head(HERE)
    for _ in range(2):
        assert await store.conversations.unfinished(USER) == (HERE,)
        with pytest.raises(NotFound):
            await store.conversations.erase(HERE, copies=not_gone)
    # Also behind a turn that fails.
    await store.leases.take(HERE, lease(), create=True)
    await store.leases.release(HERE, TOKEN)
    assert await store.conversations.unfinished(USER) == (HERE,)
    with pytest.raises(NotFound):
        await store.conversations.erase(HERE, copies=gone)
    assert await store.conversations.unfinished(USER) == ()


async def test_a_conversation_of_the_name_takes_the_place_of_what_leads_to_copies(
    store: Stores,
) -> None:
    await converse(store)
    await store.conversations.erase(HERE, copies=not_gone)
    head = await converse(store)
    assert head == await store.history.head(HERE)
    assert await store.conversations.unfinished(USER) == ()
    assert (await store.conversations.erase(HERE, copies=gone))["conversations"] == 1


async def test_what_leads_to_copies_holds_nothing_else_and_expires_with_them(
    dynamo: Stores, boto: Any, table: str
) -> None:
    await converse(dynamo)
    await dynamo.conversations.erase(HERE, copies=not_gone)
    [row] = boto.scan(TableName=table)["Items"]
    assert int(row["expires_at"]["N"]) == int(Clock.now) + 86_400
    assert "former" not in row
    await converse(dynamo)
    rows = boto.scan(TableName=table)["Items"]
    assert not [row for row in rows if row["sk"]["S"] == "head" and {"copies", "expires_at"} & set(row)]
