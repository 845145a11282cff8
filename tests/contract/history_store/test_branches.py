"""Branches are made whole or not at all: at any kill, beside any erasure, and whoever makes one twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import CommitConflict, IdempotencyKeyReused, NotFound
from chat_core.history import Commit, Deletion, Head, IdempotencyKey, StoredResponse
from chat_core.keys import Address, unnamed_address
from chat_core.long_term import Change, Memory
from chat_core.long_term.records import Summary
from chat_core.messages.message import Turn
from tests.contract.history_store.builders import (
    HERE,
    USER,
    Clock,
    Stores,
    bare,
    commit,
    converse,
    message,
    recorded,
    seqs,
)
from tests.contract.history_store.dynamodb import Killed, StrictClient, rows_of
from tests.contract.history_store.test_responses import LARGE, alone
from tests.contract.history_store.test_unfinished import erase_everything

if TYPE_CHECKING:
    from chat_core.history import StoredItem
    from chat_core.messages.message import Item

pytestmark = pytest.mark.anyio

INCARNATION = "feedfeedfeedfeed"
THERE = unnamed_address(USER, INCARNATION)
ENDS = int(Clock.now) + 60 * 86_400
KEY = IdempotencyKey(USER, "route", "key")
MANY = 230
"""Items that take three transactions."""


async def origin_of(store: Stores, count: int = 4) -> tuple[Head, tuple[StoredItem, ...]]:
    """Make a conversation, and read all of it."""
    head = await converse(store)
    if count > 2:
        head = await store.history.commit(
            head,
            commit(*(message(f"item {n}") for n in range(count - 2)), system=message("be kind", "system")),
            token=None,
        )
    return head, await store.history.items(head, 1, count)


def branch_of(origin: Head, **fields: Any) -> Head:
    """Make the head of a branch that has all of its origin."""
    own = {"created_at": int(Clock.now), "seq": origin.seq, "items": origin.items, "messages": origin.messages}
    kept = {
        "memory": origin.memory,
        "system": origin.system,
        "title": "A branch",
        "ends_at": ENDS,
        "origins": {origin.incarnation: origin.seq},
    }
    return Head(THERE, INCARNATION, **{**own, **kept, **fields})


@pytest.mark.parametrize("count", [4, MANY])
async def test_a_branch_has_its_origins_items_and_its_own_turn(store: Stores, count: int) -> None:
    origin, items = await origin_of(store, count)
    turn = commit()
    made = await store.branches.branch(origin, branch_of(origin), items, turn)
    assert made == await store.history.head(THERE)
    assert (made.seq, made.items, made.turns, made.ends_at) == (count + 2, count + 2, 1, ENDS)
    assert made.system == turn.system
    found = await store.history.items(made, 1, 1_000)
    assert [bare(one) for one in found] == [*map(bare, items), *turn.turn.items]
    assert seqs(found) == list(range(1, count + 3))
    assert [one.turn_id for one in found[:count]] == [one.turn_id for one in items]
    assert {str(one.item["id"])[-28:-12] for one in found} == {INCARNATION}
    response = await store.responses.read(USER, INCARNATION, count + 1)
    assert response is not None
    assert (response.address, response.frame) == (THERE, turn.frame)
    assert await store.history.head(HERE) == origin
    assert await store.history.items(origin, 1, 1_000) == items
    page = await store.conversations.recent(USER, limit=9, after=None, order="desc")
    assert [head.address for head in page.data] == [HERE]
    assert await store.conversations.unfinished(USER) == (THERE,)


async def test_a_branch_that_is_named_is_listed_and_found_by_its_items(store: Stores) -> None:
    origin, items = await origin_of(store)
    named = branch_of(origin, ends_at=None)
    named = replace(named, address=Address(USER, "conv_named"))
    made = await store.branches.branch(origin, named, items, None)
    assert made == await store.history.head(named.address)
    assert (made.seq, made.system, made.last) == (4, origin.system, None)
    page = await store.conversations.recent(USER, limit=9, after=None, order="desc")
    assert {head.conversation for head in page.data} == {HERE.conversation, "conv_named"}
    assert await store.responses.conversation_of(USER, INCARNATION) == "conv_named"


async def test_a_branch_takes_along_what_was_made_up_to_its_point(store: Stores) -> None:
    origin, _ = await origin_of(store, 6)
    early, late = Summary("early", 2), Summary("late", 6)
    memory = Memory(origin.incarnation, 1, (early, late), indexed_up_to=6, facts_up_to=6)
    await store.long_term.change(origin, Change(memory))
    origin = await store.history.head(HERE)
    head = branch_of(origin, seq=4, items=4, messages=4)
    made = await store.branches.branch(origin, head, await store.history.items(origin, 1, 4), commit())
    assert made == await store.history.head(THERE)
    found = await store.long_term.read(made)
    assert found == Memory(INCARNATION, made.folds, (early,), indexed_up_to=4, facts_up_to=4)
    assert await store.long_term.read(origin) == memory
    await store.long_term.change(made, Change(found.forgotten(made.seq), edited=True))
    assert await store.long_term.read(origin) == memory


async def test_what_is_erased_in_one_stays_in_the_other(store: Stores) -> None:
    origin, items = await origin_of(store)
    made = await store.branches.branch(origin, branch_of(origin), items, commit())
    await store.conversations.delete_items(made, Deletion([1], messages=1))
    assert await store.history.items(origin, 1, 9) == items
    await store.conversations.erase(HERE)
    assert seqs(await store.history.items(made, 1, 9)) == [2, 3, 4, 5, 6]
    await store.conversations.erase(THERE)
    with pytest.raises(NotFound):
        await store.history.head(THERE)


@pytest.mark.parametrize("count", [4, MANY])
@pytest.mark.parametrize("erased", ["item", "conversation"])
async def test_nothing_that_was_erased_meanwhile_is_in_a_branch(store: Stores, count: int, erased: str) -> None:
    origin, items = await origin_of(store, count)
    if erased == "item":
        await store.conversations.delete_items(origin, Deletion([1], messages=1))
    else:
        await store.conversations.erase(HERE)
    with pytest.raises(CommitConflict):
        await store.branches.branch(origin, branch_of(origin), items, commit())
    with pytest.raises(NotFound):
        await store.history.head(THERE)
    assert await store.responses.is_empty(USER, INCARNATION)
    assert THERE not in await store.conversations.unfinished(USER)


async def test_a_used_key_makes_no_branch(store: Stores) -> None:
    origin, items = await origin_of(store)
    await store.history.commit(origin, recorded(KEY, origin), token=None)
    origin = await store.history.head(HERE)
    head = branch_of(origin)
    with pytest.raises(IdempotencyKeyReused):
        await store.branches.branch(origin, head, items, recorded(KEY, head))
    with pytest.raises(NotFound):
        await store.history.head(THERE)


def adopted(items: tuple[Item, ...]) -> tuple[StoredResponse, Head, Commit]:
    """Tell a response, and the conversation that is made of it."""
    response = alone(0, *items)
    address = unnamed_address(USER, response.incarnation)
    head = Head(address, response.incarnation, created_at=5, ends_at=ENDS)
    turn = Commit(
        Turn(response.turn_id, response.items, 5),
        1,
        len(response.items),
        frame=response.frame,
        kept_until=response.expires_at,
    )
    return response, head, turn


@pytest.mark.parametrize("items", [(), LARGE, [message(f"{n}") for n in range(MANY)]], ids=["few", "large", "many"])
async def test_a_response_becomes_a_conversation_of_the_same_items(store: Stores, items: list[Item]) -> None:
    response, head, turn = adopted(tuple(items))
    await store.responses.put(response)
    for _ in range(2):  # who does it after another changes nothing
        await store.branches.adopt(response, head, turn)
    found = await store.history.head(head.address)
    assert (found.incarnation, found.seq, found.turns, found.ends_at) == (head.incarnation, response.last_seq, 1, ENDS)
    kept = await store.responses.read(USER, response.incarnation, 1)
    assert kept == replace(response, conversation=head.conversation, items=())
    assert await store.history.items(found, 1, 1_000) == response.own_items
    assert await store.responses.alone(USER) == ()
    assert await store.conversations.unfinished(USER) == (head.address,)


async def test_a_response_that_was_deleted_becomes_nothing(store: Stores) -> None:
    response, head, turn = adopted(())
    with pytest.raises(NotFound):
        await store.branches.adopt(response, head, turn)
    with pytest.raises(NotFound):
        await store.history.head(head.address)


STEPS = [(call, sent) for call in range(1, 6) for sent in (False, True)]


@pytest.mark.parametrize("kill", STEPS)
async def test_a_branch_that_is_killed_is_whole_or_not_there(
    dynamo: Stores, boto: Any, table: str, client: StrictClient, kill: tuple[int, bool]
) -> None:
    origin, items = await origin_of(dynamo, MANY)
    before = rows_of(boto, table)
    client.kill("TransactWriteItems", kill[0], sent=kill[1])
    with pytest.raises(Killed):
        await dynamo.branches.branch(origin, branch_of(origin), items, commit())
    client.heal()
    if kill == (5, True):
        assert (await dynamo.history.head(THERE)).seq == MANY + 2
    else:
        with pytest.raises(NotFound):
            await dynamo.history.head(THERE)
        assert await dynamo.responses.read(USER, INCARNATION, MANY + 1) is None
    assert await dynamo.history.head(HERE) == origin
    if kill != (1, False):
        assert await dynamo.conversations.unfinished(USER) == (THERE,)
        await dynamo.conversations.erase(THERE)
    assert rows_of(boto, table) == before
    await erase_everything(dynamo)
    assert rows_of(boto, table) == []


@pytest.mark.parametrize("kill", STEPS)
async def test_an_adoption_that_is_killed_is_gone_on_with(
    dynamo: Stores, boto: Any, table: str, client: StrictClient, kill: tuple[int, bool]
) -> None:
    response, head, turn = adopted(tuple(message(f"{n}") for n in range(MANY)))
    await dynamo.responses.put(response)
    client.kill("TransactWriteItems", kill[0], sent=kill[1])
    with pytest.raises(Killed):
        await dynamo.branches.adopt(response, head, turn)
    client.heal()
    found = await dynamo.responses.read(USER, response.incarnation, 1)
    assert found is not None
    assert found.conversation == (head.conversation if kill == (5, True) else "")
    await dynamo.branches.adopt(response, head, turn)
    made = await dynamo.history.head(head.address)
    assert await dynamo.history.items(made, 1, 1_000) == response.own_items
    await erase_everything(dynamo)
    assert rows_of(boto, table) == []


async def test_all_of_an_unnamed_conversation_expires_with_it(dynamo: Stores, boto: Any, table: str) -> None:
    origin, items = await origin_of(dynamo)
    made = await dynamo.branches.branch(origin, branch_of(origin), items, commit())
    await dynamo.history.commit(made, commit(), token=None)
    rows = boto.scan(TableName=table)["Items"]
    ends = {row["sk"]["S"]: int(row["expires_at"]["N"]) for row in rows if INCARNATION in row["incarnation"]["S"]}
    assert {end for sk, end in ends.items() if not sk.startswith("response")} == {ENDS}
    assert len(ends) == 1 + 8 + 2
