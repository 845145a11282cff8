"""One turn at a time: who gets the lease of a conversation, and when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from chat_core.errors import CommitConflict, ConversationLocked, IdempotencyInProgress, InvalidRequest, NotFound
from chat_core.keys import Address
from tests.contract.history_store.builders import (
    CONVERSATION,
    HERE,
    MAX_BYTES,
    USER,
    Clock,
    bare,
    commit,
    converse,
    lease,
    message,
    texts,
)

if TYPE_CHECKING:
    from chat_core.history.store import HistoryStore

pytestmark = pytest.mark.anyio


async def test_taking_the_lease_returns_the_head(store: HistoryStore, clock: Clock) -> None:
    committed = await converse(store)
    head = await store.take_lease(HERE, lease("mine", key="digest"), create=False)
    assert head.lease == lease("mine", key="digest")
    assert (head.seq, head.turns, head.last) == (2, 1, committed.last)
    assert (await store.get_head(HERE)).lease == lease("mine", key="digest")


async def test_a_new_conversation_is_created_with_a_lease_but_not_visible(store: HistoryStore) -> None:
    head = await store.take_lease(HERE, lease(), create=True)
    assert (head.conversation, head.seq, head.items, head.turns, head.last) == (CONVERSATION, 0, 0, 0, None)
    assert len(head.incarnation) == 16
    assert head.created_at == int(Clock.now)
    with pytest.raises(NotFound):
        await store.get_head(HERE)
    with pytest.raises(NotFound):
        await store.take_lease(HERE, lease("other"), create=False)
    with pytest.raises(InvalidRequest):
        await store.list_conversations(USER, limit=10, after=CONVERSATION, order="desc")
    assert (await store.list_conversations(USER, limit=10, after=None, order="desc")).data == ()


async def test_a_missing_conversation_is_not_found(store: HistoryStore) -> None:
    with pytest.raises(NotFound):
        await store.take_lease(HERE, lease(), create=False)


@pytest.mark.parametrize("visible", [True, False])
async def test_a_held_lease_locks_and_tells_how_long(store: HistoryStore, *, visible: bool) -> None:
    if visible:
        await converse(store)
    await store.take_lease(HERE, lease("first", key="digest"), create=True)
    for key in ("", "another"):
        with pytest.raises(ConversationLocked) as locked:
            await store.take_lease(HERE, lease("second", key=key), create=True)
        assert locked.value.retry_after_ms == 35_001
    with pytest.raises(IdempotencyInProgress) as running:
        await store.take_lease(HERE, lease("second", key="digest"), create=True)
    assert running.value.retry_after_ms == 35_001


async def test_leases_without_a_key_are_not_the_same_request(store: HistoryStore) -> None:
    await store.take_lease(HERE, lease("first"), create=True)
    with pytest.raises(ConversationLocked):
        await store.take_lease(HERE, lease("second"), create=True)


@pytest.mark.parametrize("visible", [True, False])
async def test_an_expired_lease_is_free(store: HistoryStore, clock: Clock, *, visible: bool) -> None:
    if visible:
        await converse(store)
    first = await store.take_lease(HERE, lease("first", until=clock.now + 35), create=True)
    clock.now += 34.5
    with pytest.raises(ConversationLocked):
        await store.take_lease(HERE, lease("second", until=clock.now + 35), create=True)
    clock.now += 0.5
    second = await store.take_lease(HERE, lease("second", until=clock.now + 35), create=True)
    assert second.incarnation == first.incarnation
    assert second.lease == lease("second", until=clock.now + 35)


async def test_an_expired_lease_is_nobodys(store: HistoryStore, clock: Clock) -> None:
    await converse(store)
    await store.take_lease(HERE, lease(until=clock.now + 35), create=False)
    clock.now += 35
    assert (await store.get_head(HERE)).lease is None


async def test_a_late_commit_conflicts_and_is_appended_behind(store: HistoryStore, clock: Clock) -> None:
    await converse(store)
    late = await store.take_lease(HERE, lease("late", until=clock.now + 35), create=False)
    clock.now += 36
    quick = await store.take_lease(HERE, lease("quick", until=clock.now + 35), create=False)
    turn = commit(message("late"))
    with pytest.raises(CommitConflict):
        await store.commit(late, turn, token="late")
    await store.commit(quick, commit(message("quick")), token="quick")
    with pytest.raises(CommitConflict):
        await store.commit(late, turn, token="late")
    moved = await store.get_head(HERE)
    head = await store.commit(moved, turn, token=None)
    assert texts(await store.read_items(head, 3, 4)) == ["quick", "late"]


async def test_releasing_frees_the_conversation(store: HistoryStore) -> None:
    await converse(store)
    await store.take_lease(HERE, lease("first"), create=False)
    await store.release_lease(HERE, "first")
    assert (await store.get_head(HERE)).lease is None
    await store.take_lease(HERE, lease("second"), create=False)


async def test_releasing_another_turns_lease_does_nothing(store: HistoryStore) -> None:
    await converse(store)
    await store.take_lease(HERE, lease("first"), create=False)
    await store.release_lease(HERE, "second")
    assert (await store.get_head(HERE)).lease == lease("first")


async def test_releasing_takes_back_a_conversation_without_a_turn(store: HistoryStore) -> None:
    await store.take_lease(HERE, lease("first"), create=True)
    await store.release_lease(HERE, "second")
    with pytest.raises(ConversationLocked):
        await store.take_lease(HERE, lease("second"), create=True)
    await store.release_lease(HERE, "first")
    await store.release_lease(HERE, "first")
    with pytest.raises(NotFound):
        await store.erase(HERE)


async def test_releasing_leaves_a_conversation_that_became_visible(store: HistoryStore, clock: Clock) -> None:
    head = await store.take_lease(HERE, lease("first"), create=True)
    await store.commit(head, commit(), token=None)
    await store.release_lease(HERE, "first")
    assert (await store.get_head(HERE)).lease is None


async def test_commit_clears_the_lease_of_its_token_only(store: HistoryStore) -> None:
    await converse(store)
    head = await store.take_lease(HERE, lease("mine"), create=False)
    head = await store.commit(head, commit(), token=None)
    assert (await store.get_head(HERE)).lease == lease("mine")
    assert (await store.commit(head, commit(), token="mine")).lease is None
    assert (await store.get_head(HERE)).lease is None


async def test_parallel_turns_all_come_in_whole(store: HistoryStore) -> None:
    async def turn(number: int) -> None:
        while True:
            try:
                head = await store.take_lease(HERE, lease(f"token {number}"), create=True)
            except ConversationLocked:
                await asyncio.sleep(0.002)
            else:
                break
        items = (message(f"question {number}"), message(f"answer {number}", "assistant"))
        await store.commit(head, commit(*items), token=f"token {number}")

    await asyncio.gather(*(turn(number) for number in range(8)))
    head = await store.get_head(HERE)
    page = await store.list_items(head, limit=100, after=None, order="asc", max_bytes=MAX_BYTES)
    spoken = texts(page.data)
    assert [text.replace("question", "answer") for text in spoken[::2]] == spoken[1::2]
    assert len(set(spoken)) == 16
    assert (head.seq, head.turns) == (16, 8)


async def test_users_do_not_share_leases_or_conversations(store: HistoryStore) -> None:
    for user, conversation in (("a/b", "c"), ("a", "c"), ("a", "b"), ("b", "c"), ("a ", "c"), ("A", "c")):
        head = await store.take_lease(Address(user, conversation), lease(), create=True)
        await store.commit(head, commit(message(f"{user}|{conversation}")), token="token")
    for user, conversation in (("a/b", "c"), ("a", "c"), ("a", "b"), ("b", "c"), ("a ", "c"), ("A", "c")):
        head = await store.get_head(Address(user, conversation))
        (stored,) = await store.read_items(head, 1, 100)
        assert bare(stored) == message(f"{user}|{conversation}")
    listed = await store.list_conversations("a", limit=10, after=None, order="asc")
    assert [head.conversation for head in listed.data] == ["b", "c"]
    with pytest.raises(NotFound):
        await store.get_head(Address("b", "b"))
