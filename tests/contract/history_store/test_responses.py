"""A response is stored with its turn, found by user, incarnation and place, and gone with its conversation."""

from __future__ import annotations

import base64
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import CommitConflict, RequestTooLarge
from chat_core.history import StoredResponse
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
from tests.contract.history_store.dynamodb import Killed, StrictClient, rows_of

if TYPE_CHECKING:
    from chat_core.history import Head
    from chat_core.messages.message import Item

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


def alone(number: int, *items: Item, user: str = USER) -> StoredResponse:
    """Make the response of a call without a conversation."""
    items = items or (message("question"), message("answer", "assistant"))
    until, turn = int(Clock.now) + 60, f"turn_{number}"
    return StoredResponse(user, f"{number:016x}", 1, len(items), 1, {"model": "m"}, turn, 5, until, items=items)


LARGE = [message(base64.b64encode(random.Random(seed).randbytes(300_000)).decode()) for seed in (1, 2)]
TOO_LARGE = [message(base64.b64encode(random.Random(seed).randbytes(2_400_000)).decode()) for seed in (1, 2)]


@pytest.mark.parametrize("items", [(), LARGE, [message("あ" * 400_000)]], ids=["small", "large", "compressible"])
async def test_a_call_without_a_conversation_is_stored_with_its_items(store: Stores, items: list[Item]) -> None:
    stored = alone(1, *items)
    await store.responses.prepare()
    await store.responses.put(stored)
    assert await store.responses.read(USER, stored.incarnation, 1) == stored
    assert (stored.address.conversation, stored.conversation) == ("conv_0000000000000001", "")
    for unnamed in ("user-2", USER):
        page = await store.conversations.recent(unnamed, limit=5, after=None, order="desc")
        assert (page.data, await store.conversations.unfinished(unnamed)) == ((), ())
    assert await store.responses.delete(USER, stored.incarnation, 1)
    assert await store.responses.is_empty(USER, stored.incarnation)


async def test_a_call_is_stored_by_one_write_in_one_try(dynamo: Stores, client: StrictClient) -> None:
    await dynamo.responses.put(alone(1))
    assert client.calls == ["PutItem"]
    client.kill("PutItem", 1)
    with pytest.raises(Killed):
        await dynamo.responses.put(alone(2))
    assert client.calls == ["PutItem"] * 2
    client.heal()
    with pytest.raises(RequestTooLarge):
        await dynamo.responses.put(alone(3, *TOO_LARGE))
    assert client.calls == ["PutItem"] * 2


async def test_calls_without_a_conversation_are_listed_to_be_erased(store: Stores) -> None:
    for number in range(3):
        await store.responses.put(alone(number, *(LARGE if number == 1 else ())))
    await store.responses.put(alone(9, user="user-2"))
    await converse(store)
    found = await store.responses.alone(USER)
    assert {one.incarnation for one in found} == {f"{number:016x}" for number in range(3)}
    await store.responses.erase(USER, found)
    assert await store.responses.alone(USER) == ()
    assert all([await store.responses.is_empty(USER, one.incarnation) for one in found])
    assert len(await store.responses.alone("user-2")) == 1


async def test_no_row_of_a_call_is_left(dynamo: Stores, boto: Any, table: str) -> None:
    await dynamo.responses.put(alone(1, *LARGE))
    await dynamo.responses.put(alone(2, *LARGE))
    assert len(rows_of(boto, table)) > 4
    await dynamo.responses.delete(USER, f"{1:016x}", 1)
    await dynamo.responses.erase(USER, await dynamo.responses.alone(USER))
    assert rows_of(boto, table) == []
