"""Conversations: created, changed, listed and erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import CommitConflict, IdempotencyKeyReused, InvalidRequest, NotFound
from chat_core.history.records import Head, IdempotencyKey, IdempotencyRecord
from chat_core.keys import Address, new_conversation_id, new_incarnation
from chat_core.messages import Anchor
from tests.contract.history_store.builders import (
    CONVERSATION,
    HERE,
    USER,
    Clock,
    Stores,
    commit,
    converse,
    lease,
    message,
    recorded,
    texts,
)

if TYPE_CHECKING:
    from chat_core.history.records import Order

pytestmark = pytest.mark.anyio

KEY = IdempotencyKey(USER, "POST /v1/conversations", "a-key")


def new_head(**fields: Any) -> Head:
    return Head(Address(USER, new_conversation_id()), new_incarnation(), created_at=int(Clock.now), **fields)


def record_of(head: Head, last_seq: int = 0) -> IdempotencyRecord:
    first = 1 if last_seq else 0
    expires_at = int(Clock.now) + 86_400
    return IdempotencyRecord(
        KEY, "f" * 64, head.conversation, head.incarnation, first, last_seq, 0, expires_at, {"id": "x"}
    )


async def test_an_empty_conversation(store: Stores, clock: Clock) -> None:
    head = new_head(metadata={"topic": "旅行"}, memory={"policy": "buffer", "max": 3}, title="A trip")
    created = await store.conversations.create(head, None)
    assert created == await store.history.head(head.address)
    assert (created.metadata, created.memory, created.title) == (head.metadata, head.memory, "A trip")
    assert (created.incarnation, created.created_at, created.updated_at) == (
        head.incarnation,
        head.created_at,
        clock.now,
    )
    assert (created.seq, created.items, created.turns, created.last) == (0, 0, 0, None)
    await store.leases.take(head.address, lease(), create=False)
    await store.leases.release(head.address, "token")
    assert await store.history.head(head.address) == created


async def test_a_conversation_with_its_first_items(store: Stores) -> None:
    system = message("Be kind.", "system")
    head = new_head(metadata={"a": "b"})
    first = commit(system, message("hello"), fingerprint="", frame={}, system=system, messages=2, title="hello")
    created = await store.conversations.create(head, first)
    assert created == await store.history.head(head.address)
    assert (created.seq, created.items, created.messages, created.turns) == (2, 2, 2, 0)
    assert (created.system, created.title, created.last, created.metadata) == (system, "hello", None, {"a": "b"})
    assert texts(await store.history.items(created, 1, 2)) == ["Be kind.", "hello"]


async def test_an_id_is_created_once(store: Stores) -> None:
    head = new_head()
    created = await store.conversations.create(head, None)
    for first in (None, commit()):
        other = Head(head.address, new_incarnation())
        with pytest.raises(CommitConflict):
            await store.conversations.create(other, first)
    assert await store.history.head(head.address) == created


@pytest.mark.parametrize("count", [0, 2])
async def test_creating_under_an_idempotency_key(store: Stores, count: int) -> None:
    head = new_head()
    first = commit(*(message("x") for _ in range(count))) if count else None
    record = record_of(head, count)
    await store.conversations.create(head, first, record=record)
    assert await store.history.record(KEY) == record
    again = new_head()
    with pytest.raises(IdempotencyKeyReused):
        await store.conversations.create(again, first, record=record_of(again, count))
    with pytest.raises(NotFound):
        await store.history.head(again.address)
    assert await store.history.record(KEY) == record


async def test_metadata_and_memory_are_replaced_apart(store: Stores) -> None:
    head = await converse(store)
    one = await store.conversations.update(head, metadata={"a": "1"}, memory=None)
    assert (one.metadata, one.memory, one.seq) == ({"a": "1"}, {}, 2)
    two = await store.conversations.update(head, metadata=None, memory={"policy": "buffer"})
    assert (two.metadata, two.memory) == ({"a": "1"}, {"policy": "buffer"})
    three = await store.conversations.update(head, metadata={}, memory={})
    assert (three.metadata, three.memory) == ({}, {})
    assert three == await store.conversations.update(head, metadata=None, memory=None)
    assert three == await store.history.head(HERE)


async def test_updating_an_erased_conversation(store: Stores) -> None:
    head = await converse(store)
    await store.conversations.erase(HERE)
    with pytest.raises(NotFound):
        await store.conversations.update(head, metadata={"a": "1"}, memory=None)
    again = await converse(store)
    with pytest.raises(NotFound):
        await store.conversations.update(head, metadata={"a": "1"}, memory=None)
    with pytest.raises(NotFound):
        await store.conversations.update(head, metadata=None, memory=None)
    assert await store.history.head(HERE) == again


async def listed(store: Stores, *, limit: int, order: Order, user: str = USER) -> list[list[str]]:
    found = []
    after: str | None = None
    while True:
        page = await store.conversations.recent(user, limit=limit, after=after, order=order)
        found.append([head.conversation for head in page.data])
        if not page.has_more:
            return found
        after = page.data[-1].conversation


async def test_lists_are_ordered_by_last_activity(store: Stores, clock: Clock) -> None:
    for conversation in ("a", "b", "c", "d", "e"):
        clock.now += 10
        await converse(store, conversation=conversation)
        await converse(store, conversation=conversation, user="user-2")
    clock.now += 0.001
    await converse(store, conversation="b")
    assert await listed(store, limit=2, order="desc") == [["b", "e"], ["d", "c"], ["a"]]
    assert await listed(store, limit=5, order="asc") == [["a", "c", "d", "e", "b"]]
    assert await listed(store, limit=4, order="asc") == [["a", "c", "d", "e"], ["b"]]
    assert await listed(store, limit=10, order="desc", user="user-2") == [["e", "d", "c", "b", "a"]]
    assert await listed(store, limit=10, order="desc", user="user-3") == [[]]


async def test_conversations_of_the_same_moment_are_all_listed(store: Stores) -> None:
    for conversation in ("x", "z", "y"):
        await converse(store, conversation=conversation)
    assert await listed(store, limit=1, order="asc") == [["x"], ["y"], ["z"]]


async def test_a_listed_head_holds_what_a_list_shows(store: Stores) -> None:
    head = await converse(store)
    head = await store.conversations.update(head, metadata={"a": "b"}, memory={"policy": "buffer"})
    head = await store.history.commit(
        head, commit(system=message("Be kind.", "system"), anchor=Anchor(3, 0)), token=None
    )
    await store.leases.take(HERE, lease(), create=False)
    (shown,) = (await store.conversations.recent(USER, limit=1, after=None, order="desc")).data
    assert shown == Head(
        HERE,
        head.incarnation,
        created_at=head.created_at,
        updated_at=head.updated_at,
        items=4,
        messages=4,
        turns=2,
        metadata={"a": "b"},
        memory={"policy": "buffer"},
        title="A title",
    )


@pytest.mark.parametrize("after", ["missing", "theirs", "", "../x", "a/b", "id\n", "x" * 200])
async def test_a_foreign_cursor_is_refused(store: Stores, after: str) -> None:
    await converse(store)
    await converse(store, user="user-2", conversation="theirs")
    with pytest.raises(InvalidRequest) as refused:
        await store.conversations.recent(USER, limit=5, after=after, order="desc")
    assert refused.value.param == "after"


async def test_erasing_removes_everything_and_counts_it(store: Stores) -> None:
    head = await converse(store, turns=2)
    keys = [IdempotencyKey(USER, "route", f"key {number}") for number in range(3)]
    for key in keys:
        head = await store.history.commit(head, recorded(key, head), token=None)
    await converse(store, conversation="other")
    other = await store.history.head(Address(USER, "other"))
    other = await store.history.commit(other, recorded(KEY, other), token=None)
    erased = await store.conversations.erase(HERE)
    assert erased == {"conversations": 1, "items": 10, "idempotency_records": 3, "responses": 5}
    with pytest.raises(NotFound):
        await store.history.head(HERE)
    assert await store.history.items(head, 1, 100) == ()
    for key in keys:
        assert await store.history.record(key) is None
    assert await listed(store, limit=5, order="desc") == [["other"]]
    assert await store.history.head(Address(USER, "other")) == other
    assert await store.history.record(KEY) is not None
    with pytest.raises(NotFound):
        await store.conversations.erase(HERE)


async def test_erasing_is_for_the_owner(store: Stores) -> None:
    head = await converse(store)
    with pytest.raises(NotFound):
        await store.conversations.erase(Address("user-2", CONVERSATION))
    assert await store.history.head(HERE) == head


async def test_a_recreated_conversation_is_another_one(store: Stores) -> None:
    old = await converse(store, turns=3)
    await store.conversations.erase(HERE)
    new = await converse(store)
    assert new.incarnation != old.incarnation
    assert (new.seq, new.items, new.turns, new.edits) == (2, 2, 1, 0)


@pytest.mark.parametrize("visible", [True, False])
async def test_erasing_wins_against_a_turn_in_flight(store: Stores, *, visible: bool) -> None:
    if visible:
        await converse(store)
    head = await store.leases.take(HERE, lease(), create=True)
    assert (await store.conversations.erase(HERE))["conversations"] == 1
    with pytest.raises(NotFound):
        await store.history.commit(head, commit(), token="token")
    await store.leases.release(HERE, "token")
    with pytest.raises(NotFound):
        await store.history.head(HERE)
    with pytest.raises(NotFound):
        await store.conversations.erase(HERE)
