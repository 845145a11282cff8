"""What has expired is gone for every reader, though DynamoDB removes it late."""

from __future__ import annotations

from typing import Any

import pytest

from chat_core.errors import InvalidRequest, NotFound
from chat_core.history import Deletion
from chat_core.history.dynamodb import Table
from chat_core.history.records import Head
from chat_core.keys import Address, unfinished_owner
from tests.contract.history_store.builders import (
    CONVERSATION,
    HERE,
    MAX_BYTES,
    TOKEN,
    USER,
    Clock,
    Stores,
    commit,
    converse,
    lease,
    seqs,
)
from tests.contract.history_store.dynamodb import StrictClient, rows_of

pytestmark = pytest.mark.anyio

DAY = 86_400
HEAD_KEY = {"pk": {"S": f"{USER}/{CONVERSATION}"}, "sk": {"S": "head"}}


@pytest.fixture
def store(table: str, client: StrictClient, clock: Clock) -> Stores:
    return Stores.in_dynamodb(Table(table, client=lambda: client, clock=clock, ttl_days=30))


def expiries(boto: Any, table: str) -> dict[str, int | None]:
    rows = boto.scan(TableName=table)["Items"]
    return {row["sk"]["S"]: int(row["expires_at"]["N"]) if "expires_at" in row else None for row in rows}


async def test_history_stays_by_default(dynamo: Stores, boto: Any, table: str, clock: Clock) -> None:
    await converse(dynamo)
    await dynamo.conversations.create(Head(Address(USER, "conv_empty"), "0123456789abcdef"), None)
    await dynamo.conversations.create(Head(Address(USER, "conv_full"), "0123456789abcdef"), commit())
    ends = expiries(boto, table)
    assert {ends.pop(name) for name in list(ends) if name.startswith("response")} == {int(Clock.now) + 30 * DAY}
    assert set(ends.values()) == {None}
    clock.now += 10_000 * DAY
    assert (await dynamo.history.head(HERE)).seq == 2


async def test_items_expire_by_their_age_and_the_conversation_by_its_last_commit(
    store: Stores, boto: Any, table: str, clock: Clock
) -> None:
    await converse(store)
    clock.now += 29 * DAY
    head = await store.leases.take(HERE, lease(until=clock.now + 35), create=False)
    head = await store.history.commit(head, commit(), token=TOKEN)
    assert expiries(boto, table) == {
        "head": int(Clock.now) + 59 * DAY,
        "conversation": int(Clock.now) + 59 * DAY,
        **{f"response#{seq:012d}": int(Clock.now) + 30 * DAY for seq in (1, 3)},
        **{f"item#{seq:012d}": int(Clock.now) + 30 * DAY for seq in (1, 2)},
        **{f"item#{seq:012d}": int(Clock.now) + 59 * DAY for seq in (3, 4)},
    }
    assert seqs(await store.history.items(head, 1, 4)) == [1, 2, 3, 4]
    clock.now += DAY
    assert seqs(await store.history.items(head, 1, 4)) == [3, 4]
    page = await store.conversations.page(head, limit=2, after=None, order="desc", max_bytes=MAX_BYTES)
    assert (seqs(page.data), page.has_more) == ([4, 3], False)
    assert await store.history.items(head, 1, 1) == ()
    assert (await store.conversations.delete_items(head, Deletion([1], messages=1))).items == 4
    clock.now += 29 * DAY
    with pytest.raises(NotFound):
        await store.history.head(HERE)


async def test_an_expired_conversation_is_gone(store: Stores, boto: Any, table: str, clock: Clock) -> None:
    old = await converse(store, turns=2)
    await store.conversations.create(Head(Address(USER, "conv_empty"), "0123456789abcdef"), None)
    clock.now += 30 * DAY
    for conversation in (CONVERSATION, "conv_empty"):
        with pytest.raises(NotFound):
            await store.history.head(Address(USER, conversation))
        with pytest.raises(NotFound):
            await store.leases.take(Address(USER, conversation), lease(until=clock.now + 35), create=False)
        with pytest.raises(InvalidRequest):
            await store.conversations.recent(USER, limit=5, after=conversation, order="desc")
    page = await store.conversations.recent(USER, limit=5, after=None, order="desc")
    assert (page.data, page.has_more) == ((), False)
    head = await store.leases.take(HERE, lease(until=clock.now + 35), create=True)
    assert (head.seq, head.turns, head.last) == (0, 0, None)
    assert head.incarnation != old.incarnation
    head = await store.history.commit(head, commit(), token=TOKEN)
    assert seqs(await store.history.items(head, 1, 100)) == [1, 2]
    await store.conversations.erase(Address(USER, "conv_empty"))
    await store.conversations.erase(HERE)
    assert rows_of(boto, table) == []


async def test_a_provisional_conversation_expires_by_itself(
    dynamo: Stores, boto: Any, table: str, clock: Clock
) -> None:
    first = await dynamo.leases.take(HERE, lease(), create=True)
    row = boto.get_item(TableName=table, Key=HEAD_KEY)["Item"]
    assert int(row["expires_at"]["N"]) == int(clock.now) + 35 + 3_600
    assert row["owner"]["S"] == unfinished_owner(USER)
    clock.now += 100 * DAY
    with pytest.raises(NotFound):
        await dynamo.leases.take(HERE, lease("second", until=clock.now + 35), create=False)
    again = await dynamo.leases.take(HERE, lease("second", until=clock.now + 35), create=True)
    assert again.incarnation == first.incarnation
    row = boto.get_item(TableName=table, Key=HEAD_KEY)["Item"]
    assert int(row["expires_at"]["N"]) == int(clock.now) + 35 + 3_600
    await dynamo.history.commit(again, commit(), token="second")
    row = boto.get_item(TableName=table, Key=HEAD_KEY)["Item"]
    assert not {"expires_at", "provisional", "lease_token"} & row.keys()
    assert row["owner"]["S"] == USER
