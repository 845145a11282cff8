"""A turn is committed whole or not at all, once, and on the head that was read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from chat_core.errors import CommitConflict, IdempotencyKeyReused, NotFound
from chat_core.history import Deletion
from chat_core.history.records import IdempotencyKey, IdempotencyRecord
from chat_core.keys import parse_item_id
from chat_core.messages import Anchor
from tests.contract.history_store.builders import (
    CONVERSATION,
    HERE,
    USER,
    Clock,
    Stores,
    bare,
    commit,
    converse,
    lease,
    message,
    recorded,
    texts,
)

if TYPE_CHECKING:
    from chat_core.messages.message import Item

pytestmark = pytest.mark.anyio

KEY = IdempotencyKey(USER, "POST /v1/responses", "a-key")
HARD_ITEM: Item = {
    "type": "something_new",
    "z first": {"b": None, "a": [True, False, 0, -0.0, 1.0, 1e300, 2**80, -(10**30)]},
    "text": '私の名前は渡辺直美です。\n\u0000\u2028 👩‍👩‍👧‍👦 \\ "quoted"',
    "": "",
    "empty": [[], {}],
}


async def test_the_returned_head_is_the_one_that_is_read(store: Stores, clock: Clock) -> None:
    head = await store.leases.take(HERE, lease(), create=True)
    clock.now += 1.5
    turn = commit(system=message("Be kind.", "system"), anchor=Anchor(1, 4), messages=2)
    committed = await store.history.commit(head, turn, token="token")
    assert committed == await store.history.head(HERE)
    assert (committed.conversation, committed.incarnation) == (CONVERSATION, head.incarnation)
    assert (committed.created_at, committed.updated_at) == (int(Clock.now), clock.now)
    assert (committed.seq, committed.items, committed.messages, committed.turns) == (2, 2, 2, 1)
    assert (committed.system, committed.anchor) == (message("Be kind.", "system"), Anchor(1, 4))
    assert (committed.title, committed.edits) == ("A title", 0)


async def test_the_last_turn_is_known(store: Stores) -> None:
    await converse(store)
    head = await store.leases.take(HERE, lease(), create=True)
    turn = commit(inputs=1)
    last = (await store.history.commit(head, turn, token="token")).last
    assert last is not None
    assert last.fingerprint == turn.fingerprint
    assert (last.first_seq, last.last_seq, last.inputs, last.committed_at) == (3, 4, 1, Clock.now)


async def test_items_come_back_as_they_were_with_an_id_of_their_place(store: Stores) -> None:
    head = await store.leases.take(HERE, lease(), create=True)
    turn = commit(message("hello"), HARD_ITEM)
    committed = await store.history.commit(head, turn, token="token")
    stored = await store.history.items(committed, 1, 2)
    for item, given in zip(stored, turn.turn.items, strict=True):
        assert repr(bare(item)) == repr(given)
        assert next(iter(item.item)) == "id"
        assert parse_item_id(item.item["id"]) == (committed.incarnation, item.seq)
        assert (item.turn_id, item.created_at) == (turn.turn.id, turn.turn.created_at)
    assert stored[0].item["id"].startswith("msg_")
    assert stored[1].item["id"].startswith("somethingnew_")


async def test_a_commit_needs_the_head_that_was_read(store: Stores) -> None:
    head = await converse(store)
    await store.history.commit(head, commit(), token=None)
    with pytest.raises(CommitConflict):
        await store.history.commit(head, commit(), token=None)
    assert (await store.history.head(HERE)).seq == 4


async def test_a_commit_needs_the_lease_it_names(store: Stores) -> None:
    await converse(store)
    head = await store.leases.take(HERE, lease("mine"), create=False)
    with pytest.raises(CommitConflict):
        await store.history.commit(head, commit(), token="another")
    await store.leases.release(HERE, "mine")
    with pytest.raises(CommitConflict):
        await store.history.commit(head, commit(), token="mine")


async def test_a_commit_to_an_erased_conversation_is_not_found(store: Stores) -> None:
    head = await converse(store)
    await store.conversations.erase(HERE)
    with pytest.raises(NotFound):
        await store.history.commit(head, commit(), token=None)
    await converse(store)
    with pytest.raises(NotFound):
        await store.history.commit(head, commit(), token=None)


async def test_appended_items_are_no_turn(store: Stores) -> None:
    head = await converse(store)
    appended = await store.history.commit(head, commit(message("note"), fingerprint="", frame={}), token=None)
    assert (appended.seq, appended.items, appended.messages, appended.turns) == (3, 3, 3, 1)
    assert appended.last == head.last
    assert appended == await store.history.head(HERE)


async def test_a_commit_leaves_what_it_does_not_change(store: Stores) -> None:
    head = await converse(store)
    changed = await store.conversations.update(head, metadata={"a": "b"}, memory=None)
    await store.history.commit(head, commit(), token=None)
    assert (await store.history.head(HERE)).metadata == changed.metadata


async def test_the_system_message_stays_changes_and_goes(store: Stores) -> None:
    head = await converse(store)
    for system in (message("one", "system"), message("one", "system"), message("two", "system"), None):
        head = await store.history.commit(head, commit(system=system), token=None)
        assert head.system == system
        assert (await store.history.head(HERE)).system == system


async def test_a_commit_during_a_deletion_keeps_its_edits_for_disbelief(store: Stores) -> None:
    head = await converse(store)
    deleted = await store.conversations.delete_items(head, Deletion([1], messages=1))
    committed = await store.history.commit(head, commit(), token=None)
    now = await store.history.head(HERE)
    assert (deleted.edits, committed.edits, now.edits) == (1, 0, 1)
    assert (now.items, now.messages) == (3, 3)


async def test_an_idempotency_record_is_written_with_the_turn(store: Stores, clock: Clock) -> None:
    await converse(store)
    assert await store.history.record(KEY) is None
    head = await store.history.head(HERE)
    turn = recorded(KEY, head)
    await store.history.commit(head, turn, token=None)
    expected = IdempotencyRecord(
        key=KEY,
        fingerprint=turn.fingerprint,
        conversation=CONVERSATION,
        incarnation=head.incarnation,
        first_seq=3,
        last_seq=4,
        inputs=1,
        expires_at=int(clock.now) + 86_400,
    )
    assert await store.history.record(KEY) == expected
    for other in (replace(KEY, user="user-2"), replace(KEY, route="POST /v1/x"), replace(KEY, key="b-key")):
        assert await store.history.record(other) is None


async def test_a_used_idempotency_key_stops_the_commit(store: Stores) -> None:
    head = await converse(store)
    head = await store.history.commit(head, recorded(KEY, head), token=None)
    record = await store.history.record(KEY)
    with pytest.raises(IdempotencyKeyReused):
        await store.history.commit(head, recorded(KEY, head), token=None)
    assert await store.history.head(HERE) == head
    assert await store.history.record(KEY) == record


async def test_an_idempotency_key_is_free_again_after_a_day(store: Stores, clock: Clock) -> None:
    head = await converse(store)
    head = await store.history.commit(head, recorded(KEY, head, now=clock.now), token=None)
    clock.now += 86_399
    assert await store.history.record(KEY) is not None
    clock.now += 1
    assert await store.history.record(KEY) is None
    head = await store.history.commit(head, recorded(KEY, head, message("again"), now=clock.now), token=None)
    record = await store.history.record(KEY)
    assert record is not None
    assert texts(await store.history.items(head, record.first_seq, record.last_seq)) == ["again"]


async def test_a_refused_commit_writes_nothing(store: Stores) -> None:
    head = await converse(store)
    await store.history.commit(head, commit(), token=None)
    before = await store.history.head(HERE)
    with pytest.raises(CommitConflict):
        await store.history.commit(head, recorded(KEY, head, message("lost")), token=None)
    assert await store.history.head(HERE) == before
    assert await store.history.record(KEY) is None
    assert "lost" not in texts(await store.history.items(before, 1, 100))
