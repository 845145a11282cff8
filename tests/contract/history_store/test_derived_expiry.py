"""What was made of a history that expires: the summary lasts with the conversation, all else with what was said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.history import Deletion
from chat_core.history.dynamodb import Table
from chat_core.history.dynamodb.rows import DAY
from chat_core.long_term import Change, Indexed, Memory, resolved
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import Assertion, Evidence
from chat_core.long_term.facts.records import Moment
from chat_core.long_term.index import Addition
from chat_core.long_term.recall import Entry, Query, digest, terms, weighted
from chat_core.long_term.records import Summary
from tests.contract.history_store.builders import HERE, TOKEN, USER, Clock, Stores, commit, converse, lease
from tests.contract.history_store.test_expiry import expiries

if TYPE_CHECKING:
    from chat_core.history import Head
    from tests.contract.history_store.dynamodb import StrictClient

pytestmark = pytest.mark.anyio

DAYS = 20


@pytest.fixture
def store(table: str, client: StrictClient, clock: Clock) -> Stores:
    return Stores.in_dynamodb(Table(table, client=lambda: client, clock=clock, ttl_days=DAYS))


async def turn(store: Stores, clock: Clock) -> Head:
    head = await store.leases.take(HERE, lease(until=clock.now + 30), create=True)
    return await store.history.commit(head, commit(), token=TOKEN)


def summary(seq: int) -> Summary:
    return Summary("gist", seq, "en", "a-model", 1, 5, 1_700_000_000)


async def test_the_summary_lasts_as_long_as_the_conversation_goes_on(
    store: Stores, boto: Any, table: str, clock: Clock, client: StrictClient
) -> None:
    head = await turn(store, clock)
    await store.long_term.change(head, Change(Memory(head.incarnation).folded(summary(2))))
    renewals = 0
    calls: list[str] = []
    client.before = lambda _, request: calls.append(repr(request))
    for _ in range(14):
        clock.now += 3 * DAY / 2
        calls.clear()
        head = await turn(store, clock)
        assert len(calls) == 2  # no call more than before
        renewals += "{'S': 'memory'}" in calls[1]
        ends = expiries(boto, table)
        assert ends["head"] <= ends["memory"] <= ends["head"] + 2 * DAY  # type: ignore[operator]
    assert renewals == 14
    found = await store.long_term.read(head)
    assert found is not None
    assert found.summary.text == "gist"


async def test_a_row_that_dynamodb_has_removed_is_not_made_again(store: Stores, clock: Clock) -> None:
    head = await turn(store, clock)
    await store.long_term.change(head, Change(Memory(head.incarnation).folded(summary(2))))
    table = store.long_term._table  # type: ignore[attr-defined]
    await table.delete(HERE.session_id, "memory")
    clock.now += 2 * DAY
    head = await turn(store, clock)
    assert await store.long_term.read(head) is None
    assert (await store.conversations.erase(HERE))["conversations"] == 1
    assert await table.get(HERE.session_id, "memory") is None


async def test_the_summary_of_an_erased_item_lasts_with_the_conversation_too(
    store: Stores, boto: Any, table: str, clock: Clock
) -> None:
    head = await converse(store, 3)
    await store.long_term.change(head, Change(Memory(head.incarnation).folded(summary(4))))
    clock.now += 3 * DAY
    head = await store.conversations.delete_items(await store.history.head(HERE), Deletion([3], 1))
    ends = expiries(boto, table)
    assert ends["head"] <= ends["memory"] <= ends["head"] + 2 * DAY  # type: ignore[operator]


def told(seq: int, day: int, obj: str) -> Assertion:
    evidence = (Evidence(f"msg_{seq}", Moment(int(Clock.now) + day * DAY, seq)),)
    return Assertion(f"fact_{seq}", "add", "user", "likes", obj, evidence=evidence, conversation=HERE.conversation)


async def known(store: Stores) -> list[str]:
    found = await store.facts.of_user(USER)
    return [fact.newest.object for fact in resolved(found.assertions, found.tombstones)]


async def test_each_fact_ends_with_its_newest_evidence(store: Stores, boto: Any, table: str, clock: Clock) -> None:
    head = await turn(store, clock)
    again = replace(told(1, 0, "jazz"), id="fact_9", evidence=(*told(1, 0, "").evidence, *told(5, 4, "").evidence))
    found = Found(1, 8, (told(1, 0, "tea"), again, told(7, 6, "rain")))
    clock.now += 6 * DAY
    await store.long_term.change(head, Change(Memory(head.incarnation).extracted(8), found=found))
    (ends,) = [end for name, end in expiries(boto, table).items() if name.startswith("fact#")]
    assert ends == int(Clock.now) + (6 + DAYS) * DAY
    for day, left in ((19, ["tea", "jazz", "rain"]), (20, ["jazz", "rain"]), (24, ["rain"]), (26, [])):
        clock.now = Clock.now + day * DAY
        assert await known(store) == left


async def test_a_correction_ends_as_long_after_it_was_made(store: Stores, clock: Clock, boto: Any, table: str) -> None:
    head = await turn(store, clock)
    await store.long_term.change(
        head, Change(Memory(head.incarnation).extracted(2), found=Found(1, 2, (told(1, 0, "tea"),)))
    )
    found = await store.facts.of_user(USER)
    (fact,) = resolved(found.assertions)
    better = replace(
        told(1, 0, "green tea"), id="c1", op="supersede", evidence=(), correction=True, replaces=fact.id,
        recorded_at=int(Clock.now) + 5 * DAY,
    )  # fmt: skip
    await store.facts.correct(USER, found, fact, better)
    (ends,) = [end for name, end in expiries(boto, table).items() if name.startswith("correction#")]
    assert ends == int(Clock.now) + (5 + DAYS) * DAY


async def test_each_turn_of_an_index_ends_with_its_items_and_its_row_with_the_newest(
    store: Stores, boto: Any, table: str, clock: Clock
) -> None:
    head = await turn(store, clock)
    start = int(Clock.now)
    entries = tuple(
        Entry(2 * n, 2, start + n * DAY, 20, digest(f"word{n}"), terms(f"word{n}"), None) for n in range(1, 131)
    )
    head = replace(head, seq=260)
    clock.now += (101 + DAYS - 1) * DAY
    await store.index.put(Indexed.of(head), Addition(entries, None))
    ends = [end for name, end in sorted(expiries(boto, table).items()) if name.startswith("recall#")]
    assert ends == [start + (n + DAYS) * DAY for n in (64, 128, 130)]
    clock.now += DAY  # 101 is gone, of a row that stays
    found = await store.index.search(Indexed.of(head), Query(weighted("word101 word102")), limit=200)
    assert [one.seq // 2 for one in found.candidates if one.lex > 0.1 and not one.expired] == [102]
