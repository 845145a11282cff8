"""One turn at a time: who gets the lease of a conversation, and when."""

from __future__ import annotations

import asyncio

import pytest

from chat_core.errors import CommitConflict, ConversationLocked, IdempotencyInProgress, InvalidRequest, NotFound
from chat_core.keys import Address
from tests.contract.history_store.builders import (
    CONVERSATION,
    HERE,
    MAX_BYTES,
    USER,
    Clock,
    Stores,
    bare,
    commit,
    converse,
    is_locked,
    lease,
    message,
    texts,
)

pytestmark = pytest.mark.anyio


async def test_taking_the_lease_returns_the_head(store: Stores, clock: Clock) -> None:
    committed = await converse(store)
    head = await store.leases.take(HERE, lease("mine", key="digest"), create=False)
    assert (head.seq, head.turns, head.last) == (2, 1, committed.last)
    assert await is_locked(store)


async def test_a_new_conversation_is_created_with_a_lease_but_not_visible(store: Stores) -> None:
    head = await store.leases.take(HERE, lease(), create=True)
    assert (head.conversation, head.seq, head.items, head.turns, head.last) == (CONVERSATION, 0, 0, 0, None)
    assert len(head.incarnation) == 16
    assert head.created_at == int(Clock.now)
    with pytest.raises(NotFound):
        await store.history.head(HERE)
    with pytest.raises(NotFound):
        await store.leases.take(HERE, lease("other"), create=False)
    with pytest.raises(InvalidRequest):
        await store.conversations.recent(USER, limit=10, after=CONVERSATION, order="desc")
    assert (await store.conversations.recent(USER, limit=10, after=None, order="desc")).data == ()


async def test_a_missing_conversation_is_not_found(store: Stores) -> None:
    with pytest.raises(NotFound):
        await store.leases.take(HERE, lease(), create=False)


@pytest.mark.parametrize("visible", [True, False])
async def test_a_held_lease_locks_and_tells_how_long(store: Stores, *, visible: bool) -> None:
    if visible:
        await converse(store)
    await store.leases.take(HERE, lease("first", key="digest"), create=True)
    for key in ("", "another"):
        with pytest.raises(ConversationLocked) as locked:
            await store.leases.take(HERE, lease("second", key=key), create=True)
        assert locked.value.retry_after_ms == 35_001
    with pytest.raises(IdempotencyInProgress) as running:
        await store.leases.take(HERE, lease("second", key="digest"), create=True)
    assert running.value.retry_after_ms == 35_001


async def test_leases_without_a_key_are_not_the_same_request(store: Stores) -> None:
    await store.leases.take(HERE, lease("first"), create=True)
    with pytest.raises(ConversationLocked):
        await store.leases.take(HERE, lease("second"), create=True)


@pytest.mark.parametrize("visible", [True, False])
async def test_an_expired_lease_is_free(store: Stores, clock: Clock, *, visible: bool) -> None:
    if visible:
        await converse(store)
    first = await store.leases.take(HERE, lease("first", until=clock.now + 35), create=True)
    clock.now += 34.5
    with pytest.raises(ConversationLocked):
        await store.leases.take(HERE, lease("second", until=clock.now + 35), create=True)
    clock.now += 0.5
    second = await store.leases.take(HERE, lease("second", until=clock.now + 35), create=True)
    assert second.incarnation == first.incarnation
    assert await is_locked(store)


async def test_an_expired_lease_is_nobodys(store: Stores, clock: Clock) -> None:
    await converse(store)
    await store.leases.take(HERE, lease(until=clock.now + 35), create=False)
    clock.now += 35
    assert not await is_locked(store)


async def test_a_late_commit_conflicts_and_is_appended_behind(store: Stores, clock: Clock) -> None:
    await converse(store)
    late = await store.leases.take(HERE, lease("late", until=clock.now + 35), create=False)
    clock.now += 36
    quick = await store.leases.take(HERE, lease("quick", until=clock.now + 35), create=False)
    turn = commit(message("late"))
    with pytest.raises(CommitConflict):
        await store.history.commit(late, turn, token="late")
    await store.history.commit(quick, commit(message("quick")), token="quick")
    with pytest.raises(CommitConflict):
        await store.history.commit(late, turn, token="late")
    moved = await store.history.head(HERE)
    head = await store.history.commit(moved, turn, token=None)
    assert texts(await store.history.items(head, 3, 4)) == ["quick", "late"]


@pytest.mark.parametrize("visible", [True, False])
async def test_a_lease_is_renewed_by_its_holder_alone(store: Stores, clock: Clock, *, visible: bool) -> None:
    if visible:
        await converse(store)
    await store.leases.take(HERE, lease("mine", until=clock.now + 30, key="digest"), create=True)
    clock.now += 20
    assert await store.leases.renew(HERE, "mine", clock.now + 30)
    assert not await store.leases.renew(HERE, "another's", clock.now + 300)
    clock.now += 29
    assert await is_locked(store)
    with pytest.raises(IdempotencyInProgress):
        await store.leases.take(HERE, lease("second", key="digest"), create=True)
    clock.now += 1
    assert not await is_locked(store)
    assert not await store.leases.renew(HERE, "mine", clock.now + 30)  # the probe took it
    head = await store.leases.take(HERE, lease("mine", until=clock.now + 30), create=True)
    after = await store.history.commit(head, commit(message("text")), token="mine")
    assert not await store.leases.renew(HERE, "mine", clock.now + 30)  # nor does a late one lock it again
    assert (after.seq - head.seq, await is_locked(store)) == (1, False)


async def test_a_lease_of_nothing_is_not_renewed(store: Stores) -> None:
    assert not await store.leases.renew(HERE, "mine", Clock.now + 30)
    with pytest.raises(NotFound):
        await store.history.head(HERE)


async def test_releasing_frees_the_conversation(store: Stores) -> None:
    await converse(store)
    await store.leases.take(HERE, lease("first"), create=False)
    await store.leases.release(HERE, "first")
    assert not await is_locked(store)
    await store.leases.take(HERE, lease("second"), create=False)


async def test_releasing_another_turns_lease_does_nothing(store: Stores) -> None:
    await converse(store)
    await store.leases.take(HERE, lease("first"), create=False)
    await store.leases.release(HERE, "second")
    assert await is_locked(store)


async def test_releasing_takes_back_a_conversation_without_a_turn(store: Stores) -> None:
    await store.leases.take(HERE, lease("first"), create=True)
    await store.leases.release(HERE, "second")
    with pytest.raises(ConversationLocked):
        await store.leases.take(HERE, lease("second"), create=True)
    await store.leases.release(HERE, "first")
    await store.leases.release(HERE, "first")
    with pytest.raises(NotFound):
        await store.conversations.erase(HERE)


async def test_releasing_leaves_a_conversation_that_became_visible(store: Stores, clock: Clock) -> None:
    head = await store.leases.take(HERE, lease("first"), create=True)
    await store.history.commit(head, commit(), token=None)
    await store.leases.release(HERE, "first")
    assert not await is_locked(store)


async def test_commit_clears_the_lease_of_its_token_only(store: Stores) -> None:
    await converse(store)
    head = await store.leases.take(HERE, lease("mine"), create=False)
    head = await store.history.commit(head, commit(), token=None)
    assert await is_locked(store)
    await store.history.commit(head, commit(), token="mine")
    assert not await is_locked(store)


async def test_parallel_turns_all_come_in_whole(store: Stores) -> None:
    async def turn(number: int) -> None:
        while True:
            try:
                head = await store.leases.take(HERE, lease(f"token {number}"), create=True)
            except ConversationLocked:
                await asyncio.sleep(0.002)
            else:
                break
        items = (message(f"question {number}"), message(f"answer {number}", "assistant"))
        await store.history.commit(head, commit(*items), token=f"token {number}")

    await asyncio.gather(*(turn(number) for number in range(8)))
    head = await store.history.head(HERE)
    page = await store.conversations.page(head, limit=100, after=None, order="asc", max_bytes=MAX_BYTES)
    spoken = texts(page.data)
    assert [text.replace("question", "answer") for text in spoken[::2]] == spoken[1::2]
    assert len(set(spoken)) == 16
    assert (head.seq, head.turns) == (16, 8)


async def test_users_do_not_share_leases_or_conversations(store: Stores) -> None:
    for user, conversation in (("a/b", "c"), ("a", "c"), ("a", "b"), ("b", "c"), ("a ", "c"), ("A", "c")):
        head = await store.leases.take(Address(user, conversation), lease(), create=True)
        await store.history.commit(head, commit(message(f"{user}|{conversation}")), token="token")
    for user, conversation in (("a/b", "c"), ("a", "c"), ("a", "b"), ("b", "c"), ("a ", "c"), ("A", "c")):
        head = await store.history.head(Address(user, conversation))
        (stored,) = await store.history.items(head, 1, 100)
        assert bare(stored) == message(f"{user}|{conversation}")
    listed = await store.conversations.recent("a", limit=10, after=None, order="asc")
    assert [head.conversation for head in listed.data] == ["b", "c"]
    with pytest.raises(NotFound):
        await store.history.head(Address("b", "b"))
