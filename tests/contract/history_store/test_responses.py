"""A response is stored with its turn, found by user, incarnation and place, and gone with its conversation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import CommitConflict
from chat_core.keys import Address
from tests.contract.history_store.builders import (
    CONVERSATION,
    HERE,
    USER,
    Clock,
    Stores,
    commit,
    converse,
    message,
)

if TYPE_CHECKING:
    from chat_core.history import Head

pytestmark = pytest.mark.anyio


async def committed(store: Stores, **fields: Any) -> tuple[Head, Head]:
    """Run a first turn, and commit a second; the heads before and after it."""
    before = await converse(store)
    return before, await store.history.commit(before, commit(**fields), token=None)


async def test_a_turns_response_is_there_with_it(store: Stores, clock: Clock) -> None:
    turn = commit(frame={"model": "m", "usage": {"total_tokens": 3}}, kept_until=int(clock.now) + 60)
    head = await converse(store)
    after = await store.history.commit(head, turn, token=None)
    found = await store.responses.read(USER, head.incarnation, 3)
    assert found is not None
    assert (found.first_seq, found.last_seq, found.inputs, found.conversation) == (3, after.seq, 1, CONVERSATION)
    assert (found.frame, found.turn_id, found.created_at) == (turn.frame, turn.turn.id, turn.turn.created_at)
    assert (found.expires_at, found.shown, found.items) == (int(clock.now) + 60, True, ())
    assert found.address == HERE
    assert found.id == f"resp_{head.incarnation}000000000003"


async def test_a_commit_that_is_refused_stores_no_response(store: Stores) -> None:
    before, _ = await committed(store)
    with pytest.raises(CommitConflict):
        await store.history.commit(before, commit(frame={"lost": True}), token=None)
    found = await store.responses.read(USER, before.incarnation, 3)
    assert found is not None
    assert "lost" not in found.frame


async def test_who_asks_by_another_name_finds_nothing(store: Stores) -> None:
    before, _ = await committed(store)
    for user, incarnation, seq in (
        ("user-2", before.incarnation, 3),
        (USER, "0" * 16, 3),
        (USER, before.incarnation, 2),
        (USER, before.incarnation, 5),
    ):
        assert await store.responses.read(user, incarnation, seq) is None
        assert await store.responses.delete(user, incarnation, seq) is False
    assert await store.responses.conversation_of("user-2", before.incarnation) is None


async def test_a_response_expires(store: Stores, clock: Clock) -> None:
    before, _ = await committed(store, kept_until=int(clock.now) + 60, shown=False)
    found = await store.responses.read(USER, before.incarnation, 3)
    assert found is not None
    assert not found.shown
    clock.now += 60
    assert await store.responses.read(USER, before.incarnation, 3) is None
    assert not await store.responses.is_empty(USER, before.incarnation)
    clock.now += 30 * 86_400
    assert await store.responses.is_empty(USER, before.incarnation)


async def test_deleting_a_response_leaves_its_turn(store: Stores) -> None:
    before, after = await committed(store)
    assert await store.responses.delete(USER, before.incarnation, 3)
    assert not await store.responses.delete(USER, before.incarnation, 3)
    assert not await store.responses.is_empty(USER, before.incarnation)
    assert await store.responses.delete(USER, before.incarnation, 1)
    assert await store.responses.is_empty(USER, before.incarnation)
    assert len(await store.history.items(after, 1, 10)) == 4
    assert await store.history.head(HERE) == after


async def test_items_that_no_turn_brought_name_their_conversation_too(store: Stores) -> None:
    head = await converse(store, conversation="other")
    appended = commit(message("note"), fingerprint="", frame={})
    created = await store.conversations.create(_new(head, "conv_new"), appended)
    for made in (head, created):
        assert await store.responses.conversation_of(USER, made.incarnation) == made.conversation
    assert await store.responses.is_empty(USER, created.incarnation)


def _new(head: Head, name: str) -> Head:
    return replace(head, address=Address(USER, name), incarnation="0123456789abcdef", seq=0, items=0, last=None)


async def test_an_erasure_takes_the_responses_and_the_name(store: Stores) -> None:
    before, _ = await committed(store)
    other = await converse(store, conversation="other")
    await store.conversations.erase(HERE)
    assert await store.responses.read(USER, before.incarnation, 1) is None
    assert await store.responses.is_empty(USER, before.incarnation)
    assert await store.responses.conversation_of(USER, before.incarnation) is None
    assert await store.responses.read(USER, other.incarnation, 1) is not None
