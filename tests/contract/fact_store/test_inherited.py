"""What a branch takes along of what was made of its origin: nothing of what came behind its point."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.keys import Address, item_id, new_incarnation
from chat_core.long_term import Change, Indexed, Memory, resolved
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import Evidence
from chat_core.long_term.index import Addition
from chat_core.long_term.records import Summary
from tests.contract.fact_store.test_facts import said
from tests.contract.history_store.builders import USER, converse
from tests.contract.recall_index.test_index import OLD, entries

if TYPE_CHECKING:
    from chat_core.history import Head
    from chat_core.long_term.facts import Assertion
    from tests.contract.history_store.builders import Stores

pytestmark = pytest.mark.anyio


def evident(head: Head, seq: int, obj: str, predicate: str, *seqs: int) -> Assertion:
    one = said(head, seq, obj, predicate=predicate)
    moments = [said(head, each, obj).evidence[0].moment for each in (seq, *seqs)]
    evidence = tuple(Evidence(item_id("msg", head.incarnation, each.seq), each) for each in moments)
    return replace(one, evidence=evidence, cardinality="many")


async def origin(dynamo: Stores) -> Head:
    head = await converse(dynamo, 6)
    told = (evident(head, 1, "Paris", "lives in", 9), evident(head, 5, "tea", "likes"), evident(head, 9, "Rome", "saw"))
    summaries = tuple(Summary(f"up to {seq}", seq, "en", "m", 1, 3, 1) for seq in (2, 4, 8))
    memory = Memory(head.incarnation, 1, summaries, ((3, 4), (7, 8)), indexed_up_to=10, facts_up_to=10, attempts=2)
    added = Addition(entries("My dog", "A train", "The cello", "It rains", "Snow"), OLD)
    await dynamo.long_term.change(head, Change(memory, added=(added,), found=Found(1, 10, told)))
    known = await dynamo.facts.of_user(USER)
    paris = next(fact for fact in resolved(known.assertions) if fact.newest.object == "Paris")
    lyon = replace(
        paris.newest, id="c1", op="supersede", object="Lyon", evidence=(), correction=True, replaces=paris.id,
        recorded_at=10**7,
    )  # fmt: skip
    await dynamo.facts.correct(USER, known, paris, lyon)
    return await dynamo.history.head(head.address)


async def branched(dynamo: Stores, head: Head, seq: int) -> Head:
    """Write a branch's head and what it takes along, as whoever makes one does."""
    branch = replace(head, address=Address(USER, "branch"), incarnation=new_incarnation(), seq=seq, edits=0, folds=1)
    stores: tuple[Any, ...] = (dynamo.long_term, dynamo.index, dynamo.facts)
    rows = [row for store in stores for row in await store.inherited(head, branch)]
    table: Any = dynamo.long_term._table  # type: ignore[attr-defined]
    await table.transact([{"Put": {"Item": row}} for row in rows])
    return branch


async def test_a_branch_knows_what_was_made_up_to_its_point(dynamo: Stores) -> None:
    head = await origin(dynamo)
    branch = await branched(dynamo, head, 6)
    memory = await dynamo.long_term.read(branch)
    assert memory is not None
    assert (memory.summary.text, memory.skipped, memory.folds, memory.attempts) == ("up to 4", ((3, 4),), 1, 0)
    assert (memory.indexed_up_to, memory.facts_up_to, memory.incarnation) == (6, 6, branch.incarnation)
    stats = await dynamo.index.stats(Indexed.of(branch))
    assert (stats.turns, stats.up_to) == (3, 6)
    known = await dynamo.facts.of_conversation(branch)
    facts = {fact.newest.object: fact for fact in resolved(known.assertions, known.tombstones)}
    assert set(facts) == {"Lyon", "tea"}
    assert facts["Lyon"].item_ids == (item_id("msg", branch.incarnation, 1),)
    assert "Rome" not in repr(known)


async def test_joined_with_its_origin_a_fact_of_both_is_one(dynamo: Stores) -> None:
    head = await origin(dynamo)
    await branched(dynamo, head, 12)
    known = await dynamo.facts.of_user(USER)
    current = [fact.newest.object for fact in resolved(known.assertions, known.tombstones) if fact.status == "current"]
    assert sorted(current) == ["Lyon", "Rome", "tea"]


async def test_a_branch_and_its_origin_are_erased_alone(dynamo: Stores) -> None:
    head = await origin(dynamo)
    branch = await branched(dynamo, head, 12)
    await dynamo.conversations.erase(head.address)
    assert await dynamo.long_term.read(head) is None
    assert (await dynamo.facts.of_conversation(head)).assertions == ()
    assert len((await dynamo.facts.of_conversation(branch)).assertions) == 4
    assert (await dynamo.index.stats(Indexed.of(branch))).turns == 5


async def test_where_nothing_was_made_nothing_is_taken_along(dynamo: Stores) -> None:
    head = await converse(dynamo, 2)
    branch = replace(head, address=Address(USER, "branch"), incarnation=new_incarnation(), seq=2)
    stores: tuple[Any, ...] = (dynamo.long_term, dynamo.index, dynamo.facts)
    assert [row for store in stores for row in await store.inherited(head, branch)] == []
