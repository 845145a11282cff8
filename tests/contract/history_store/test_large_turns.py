"""Turns beyond a transaction and items beyond a row: whole for every reader, wherever the function is killed."""

from __future__ import annotations

import base64
import random
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.aws import NoAnswer
from chat_core.errors import CommitConflict, NotFound, RequestTooLarge, StoreUnavailable
from chat_core.history import Deletion
from chat_core.history.records import Head, IdempotencyKey
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
    is_locked,
    lease,
    message,
    recorded,
    seqs,
)
from tests.contract.history_store.dynamodb import Killed, StrictClient, rows_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.messages.message import Item

pytestmark = pytest.mark.anyio


def image(size: int, seed: int) -> Item:
    """Make an item of about that many bytes that hardly compresses."""
    data = base64.b64encode(random.Random(seed).randbytes(size * 3 // 4)).decode()
    return {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": data}]}


LARGE = image(1_500_000, 1)
MANY = [message(f"item {number}") for number in range(110)]
HEAVY = [message("look"), *(image(700_000, seed) for seed in range(7)), message("done")]


async def leased(store: Stores) -> Head:
    await converse(store)
    return await store.leases.take(HERE, lease(), create=False)


async def test_a_split_item_is_read_by_its_place(store: Stores) -> None:
    head = await converse(store)
    head = await store.history.commit(head, commit(message("look"), LARGE), token=None)
    assert [bare(one) for one in await store.history.items_at(head, [4, 3])] == [message("look"), LARGE]


@pytest.mark.parametrize(
    "items",
    [MANY, HEAVY, [LARGE], [message("あ" * 2_000_000)], [message("x" * 390_000)], [image(5_900_000, 9)]],
    ids=["many", "heavy", "split", "compressed", "compressed to little", "six megabytes"],
)
async def test_large_turns_come_back_whole(dynamo: Stores, items: list[Item]) -> None:
    head = await leased(dynamo)
    head = await dynamo.history.commit(head, commit(*items), token=TOKEN)
    assert head == await dynamo.history.head(HERE)
    assert [bare(stored) for stored in await dynamo.history.items(head, 3, head.seq)] == items
    tail = await dynamo.history.tail(head, before=head.seq + 1, limit=len(items))
    assert [bare(stored) for stored in tail] == items
    assert bare((await dynamo.history.items(head, 3, 3))[0]) == items[0]


async def test_pages_over_split_items(dynamo: Stores) -> None:
    head = await dynamo.history.commit(await leased(dynamo), commit(*HEAVY), token=TOKEN)
    down = await dynamo.conversations.page(head, limit=3, after=None, order="desc", max_bytes=MAX_BYTES)
    assert (seqs(down.data), down.has_more) == ([11, 10, 9], True)
    assert [bare(stored) for stored in down.data] == HEAVY[:-4:-1]
    up = await dynamo.conversations.page(head, limit=10, after=2, order="asc", max_bytes=1_500_000)
    assert (seqs(up.data), up.has_more) == ([3, 4, 5], True)
    one = await dynamo.conversations.page(head, limit=10, after=4, order="asc", max_bytes=10)
    assert (seqs(one.data), one.has_more) == ([5], True)


@pytest.mark.parametrize("items", [MANY, HEAVY], ids=["many", "heavy"])
async def test_no_reader_sees_a_part_of_a_turn(
    table: str, dynamo: Stores, boto: Any, client: StrictClient, items: list[Item]
) -> None:
    head = await leased(dynamo)
    seen = []

    def look(operation: str, request: Mapping[str, Any]) -> None:
        if operation == "TransactWriteItems":
            row = boto.get_item(
                TableName=table, Key={"pk": {"S": f"{USER}/{CONVERSATION}"}, "sk": {"S": "head"}}, ConsistentRead=True
            )
            seen.append(row["Item"]["seq"]["N"])

    client.before = look
    await dynamo.history.commit(head, commit(*items), token=TOKEN)
    assert len(seen) > 1
    assert set(seen) == {"2"}


@pytest.mark.parametrize("sent", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", [1, 2])
async def test_a_killed_turn_leaves_nothing_and_can_be_repeated(
    dynamo: Stores, client: StrictClient, call: int, *, sent: bool
) -> None:
    head = await leased(dynamo)
    client.kill("TransactWriteItems", call, sent=sent)
    with pytest.raises(Killed):
        await dynamo.history.commit(head, commit(*HEAVY), token=TOKEN)
    client.heal()
    now = await dynamo.history.head(HERE)
    if (call, sent) == (2, True):
        assert now.seq == 11
        assert not await is_locked(dynamo)
        return
    assert now == head
    assert seqs(await dynamo.history.items(now, 1, 100)) == [1, 2]
    await dynamo.history.commit(head, commit(message("short"), LARGE, message("end")), token=TOKEN)
    after = await dynamo.history.head(HERE)
    stored = await dynamo.history.items(after, 3, 100)
    assert [bare(item) for item in stored] == [message("short"), LARGE, message("end")]
    listed = await dynamo.conversations.page(after, limit=2, after=None, order="desc", max_bytes=MAX_BYTES)
    assert [bare(item) for item in listed.data] == [message("end"), LARGE]


async def test_a_stage_that_lost_its_lease_stops(dynamo: Stores, boto: Any, client: StrictClient, table: str) -> None:
    head = await leased(dynamo)
    key = {"pk": {"S": f"{USER}/{CONVERSATION}"}, "sk": {"S": "head"}}

    def steal(operation: str, request: Mapping[str, Any]) -> None:
        if client.calls.count("TransactWriteItems") == 3:
            boto.update_item(
                TableName=table,
                Key=key,
                UpdateExpression="SET lease_token = :thief",
                ExpressionAttributeValues={":thief": {"S": "thief"}},
            )

    client.before = steal
    with pytest.raises(CommitConflict):
        await dynamo.history.commit(head, commit(*HEAVY), token=TOKEN)
    assert client.calls.count("TransactWriteItems") == 3
    assert (await dynamo.history.head(HERE)).seq == 2


async def test_an_erasure_between_stages_wins_and_leaves_no_row(
    dynamo: Stores, boto: Any, client: StrictClient, table: str, clock: Any
) -> None:
    head = await leased(dynamo)
    client.kill("TransactWriteItems", 2)
    with pytest.raises(Killed):
        await dynamo.history.commit(head, commit(*HEAVY), token=TOKEN)
    client.heal()
    assert (await dynamo.conversations.erase(HERE))["conversations"] == 1
    with pytest.raises(NotFound):
        await dynamo.history.commit(head, commit(*HEAVY), token=TOKEN)
    assert rows_of(boto, table) == []


async def test_deleting_a_split_item_removes_its_pieces(
    dynamo: Stores, boto: Any, client: StrictClient, table: str
) -> None:
    head = await dynamo.history.commit(await leased(dynamo), commit(message("look"), LARGE), token=TOKEN)
    assert len(rows_of(boto, table)) > 5
    client.kill("TransactWriteItems", 2)
    with pytest.raises(Killed):
        await dynamo.conversations.delete_items(head, Deletion([4], messages=1))
    client.heal()
    head = await dynamo.conversations.delete_items(head, Deletion([4], messages=1))
    assert (head.items, head.messages, head.edits) == (3, 3, 1)
    left = [sk for pk, sk in rows_of(boto, table) if "responses#" not in pk]
    assert left == ["head", *(f"item#{seq:012d}" for seq in (1, 2, 3))]


async def test_deleting_more_items_than_a_transaction_takes(dynamo: Stores) -> None:
    head = await dynamo.history.commit(await leased(dynamo), commit(*MANY), token=TOKEN)
    head = await dynamo.conversations.delete_items(head, Deletion(range(3, 108), messages=105))
    assert (head.seq, head.items, head.messages) == (112, 7, 7)
    assert seqs(await dynamo.history.items(head, 1, 200)) == [1, 2, 108, 109, 110, 111, 112]


async def test_a_large_system_message_stays_with_its_item(dynamo: Stores) -> None:
    system = image(300_000, 3) | {"role": "system"}
    head = await converse(dynamo)
    head = await dynamo.history.commit(head, commit(message("hi"), system, system=system), token=None)
    assert head.system == system
    head = await dynamo.history.commit(head, commit(system=system), token=None)
    assert head == await dynamo.history.head(HERE)
    taken = await dynamo.leases.take(HERE, lease(), create=False)
    assert taken.system == system
    updated = await dynamo.conversations.update(head, metadata={"a": "b"}, memory=None)
    assert updated.system == system
    head = await dynamo.conversations.delete_items(taken, Deletion([4], messages=1, unpin=True))
    assert head.system is None


async def test_what_no_row_holds_is_refused(dynamo: Stores) -> None:
    head = await converse(dynamo)
    noise = base64.b64encode(random.Random(5).randbytes(400_000)).decode()
    key = IdempotencyKey(USER, "route", "key")
    for refused in (
        commit(frame={"instructions": noise}),
        recorded(key, head, frame={"instructions": noise}, fingerprint=""),
        commit(system=message(noise, "system")),
    ):
        with pytest.raises(RequestTooLarge):
            await dynamo.history.commit(head, refused, token=None)
    assert await dynamo.history.head(HERE) == head


async def test_large_conversations_are_created_whole(
    dynamo: Stores, client: StrictClient, boto: Any, table: str
) -> None:
    head = Head(Address(USER, "conv_large"), "0123456789abcdef", created_at=1_700_000_000)
    created = await dynamo.conversations.create(head, commit(*HEAVY))
    assert [bare(stored) for stored in await dynamo.history.items(created, 1, 9)] == HEAVY
    assert client.calls.count("TransactWriteItems") == 1
    other = Head(Address(USER, "conv_other"), "fedcba9876543210")
    for too_much in (commit(*HEAVY, image(700_000, 8)), commit(*(message(f"item {n}") for n in range(91)))):
        with pytest.raises(RequestTooLarge) as refused:
            await dynamo.conversations.create(other, too_much)
        assert refused.value.param == "items"
    listed = await dynamo.conversations.recent(USER, limit=5, after=None, order="desc")
    assert [one.conversation for one in listed.data] == ["conv_large"]


async def test_pieces_of_an_older_item_are_not_read(dynamo: Stores, client: StrictClient) -> None:
    head = await leased(dynamo)
    client.kill("TransactWriteItems", 2)
    with pytest.raises(Killed):
        await dynamo.history.commit(head, commit(image(1_900_000, 6), image(1_900_000, 7)), token=TOKEN)
    client.heal()
    smaller = image(500_000, 8)
    head = await dynamo.history.commit(head, commit(smaller), token=TOKEN)
    assert [bare(stored) for stored in await dynamo.history.items(head, 3, 3)] == [smaller]


async def test_an_unknown_outcome_is_looked_up(dynamo: Stores, client: StrictClient) -> None:
    head = await leased(dynamo)

    def lose(operation: str, request: Mapping[str, Any]) -> None:
        if operation == "TransactWriteItems" and any("Update" in action for action in request["TransactItems"]):
            raise NoAnswer("the answer is lost")

    client.after = lose
    committed = await dynamo.history.commit(head, commit(*HEAVY), token=TOKEN)
    assert committed == await dynamo.history.head(HERE)
    client.before, client.after = client.after, client.before
    with pytest.raises(StoreUnavailable):
        await dynamo.history.commit(committed, commit(), token=None)
    assert committed == await dynamo.history.head(HERE)
