"""What every index promises, whatever it stands on."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import CommitConflict
from chat_core.history import Deletion
from chat_core.long_term import Change, Memory
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import Assertion, Evidence
from chat_core.long_term.facts.records import Moment
from chat_core.long_term.index import Addition, Indexed
from chat_core.long_term.recall import Entry, Query, QueryVector, Scale, Vectors, digest, signs, terms, weighted
from chat_core.long_term.records import Summary
from tests.contract.history_store.builders import converse

if TYPE_CHECKING:
    from chat_core.history import Head
    from tests.contract.history_store.builders import Clock, Stores

pytestmark = pytest.mark.anyio

TALK = ("My dog eats salmon.", "The train was late.", "My sister plays the cello.")
RANDOM = random.Random(3)
DIRECTIONS = [[RANDOM.gauss(0, 1) for _ in range(512)] for _ in range(80)]
OLD = Vectors("old-model", 512, 1_000)
NEW = Vectors("new-model", 512, 2_000)


def entries(*texts: str, first: int = 1, **given: Any) -> tuple[Entry, ...]:
    return tuple(
        replace(Entry(2 * n, 2, 1_000 + n, 20, digest(text), terms(text), signs(DIRECTIONS[n % 80])), **given)
        for n, text in enumerate(texts or TALK, first)
    )


async def talk(store: Stores, turns: int = 3, **where: str) -> tuple[Head, Indexed]:
    """Run turns of two items each."""
    head = await converse(store, turns, **where)
    return head, Indexed.of(head)


async def found(store: Stores, indexed: Indexed, text: str, **given: Any) -> list[int]:
    result = await store.index.search(indexed, Query(weighted(text), **given), limit=8)
    return [one.seq for one in sorted(result.candidates, key=lambda one: -(one.lex + (one.cos or 0)))]


async def test_an_empty_index_finds_nothing(store: Stores) -> None:
    _, indexed = await talk(store)
    assert await found(store, indexed, "dog") == []
    assert (await store.index.stats(indexed)).turns == 0
    assert await store.index.stale(indexed, NEW) == ()
    assert await store.index.erase(indexed) == 0


async def test_what_is_put_is_found_by_its_words(store: Stores) -> None:
    _, indexed = await talk(store)
    await store.index.put(indexed, Addition(entries(), OLD))
    assert (await found(store, indexed, "what does my dog eat"))[0] == 2
    assert (await found(store, indexed, "cello"))[0] == 6
    assert await found(store, indexed, "volcano") == []


async def test_and_by_its_direction(store: Stores) -> None:
    _, indexed = await talk(store)
    await store.index.put(indexed, Addition(entries(), OLD))
    vector = QueryVector("old-model", 512, signs(DIRECTIONS[3]))
    assert (await found(store, indexed, "zzz", vector=vector, scale=Scale()))[0] == 6


async def test_a_candidate_tells_where_its_turn_is(store: Stores) -> None:
    _, indexed = await talk(store)
    await store.index.put(indexed, Addition(entries(), None))
    result = await store.index.search(indexed, Query(weighted("cello")), limit=1)
    (one,) = result.candidates
    assert (one.conversation, one.first_seq, one.seq, one.place) == (indexed.address.conversation, 5, 6, 2)
    assert (one.created_at, one.tokens, one.digest, one.cos) == (1_003, 20, digest(TALK[2]), None)
    assert (result.turns, result.compared) == (3, False)


async def test_what_is_put_later_is_found_beside_it_in_a_later_state(store: Stores) -> None:
    _, indexed = await talk(store, 80)
    await store.index.put(indexed, Addition(entries(*(f"filler {n}" for n in range(70))), OLD))
    await found(store, indexed, "salmon")
    await store.index.put(indexed, Addition(entries("We had salmon.", first=71), OLD))
    assert await found(store, replace(indexed, folds=1), "salmon") == [142, 140]
    assert (await store.index.stats(indexed)).turns == 71
    assert (await store.index.stats(indexed)).up_to == 142


async def test_one_conversation_never_finds_anothers_turns(store: Stores) -> None:
    _, mine = await talk(store)
    _, other = await talk(store, conversation="another")
    _, foreign = await talk(store, user="user-2")
    await store.index.put(mine, Addition(entries(), OLD))
    assert await found(store, other, "dog") == await found(store, foreign, "dog") == []
    assert await found(store, replace(mine, incarnation="0" * 16), "dog") == []
    assert await store.index.erase(foreign) == 0
    assert (await found(store, mine, "dog"))[0] == 2


async def test_an_erased_item_takes_its_turn_along(store: Stores) -> None:
    _, indexed = await talk(store)
    await store.index.put(indexed, Addition(entries(), OLD))
    await found(store, indexed, "dog")
    assert await store.index.erase(indexed, [1, 9]) == 1
    assert 2 not in await found(store, indexed, "dog cello")
    assert (await store.index.stats(indexed)).turns == 2
    assert await store.index.erase(indexed, [3, 6]) == 2
    assert await found(store, indexed, "dog cello") == []
    assert (await store.index.stats(indexed)).bytes == 0


async def test_all_of_it_can_be_erased(store: Stores) -> None:
    _, indexed = await talk(store, 80)
    await store.index.put(indexed, Addition(entries(*(f"dog {n}" for n in range(70))), OLD))
    assert await store.index.erase(indexed) == 70
    assert await found(store, indexed, "dog") == []


async def test_vectors_of_another_model_and_old_ones_are_stale_and_can_be_made_anew(store: Stores) -> None:
    _, indexed = await talk(store, 80)
    await store.index.put(indexed, Addition(entries(*(f"dog {n}" for n in range(70))), OLD))
    await store.index.put(indexed, Addition(entries("cat", first=71), NEW))
    await store.index.put(indexed, Addition(entries("no vector", first=72, signs=None), None))
    groups = await store.index.stale(indexed, NEW)
    assert sum(len(group) for group in groups) == 71
    assert sum(len(group) for group in await store.index.stale(indexed, OLD)) == 2
    for group in groups:
        made = tuple(replace(one, signs=signs(DIRECTIONS[one.seq // 2 % 80])) for one in group)
        await store.index.put(indexed, Addition(made, replace(NEW, embedded_at=3_000)))
    later = replace(indexed, folds=1)
    assert await store.index.stale(later, NEW) == ()
    assert [len(group) for group in await store.index.stale(later, replace(NEW, embedded_at=2_500))] == [1]
    stats = await store.index.stats(later)
    assert (stats.turns, stats.models) == (72, ("new-model",))
    vector = QueryVector("new-model", 512, signs(DIRECTIONS[5]))
    assert (await found(store, later, "zzz", vector=vector, scale=Scale()))[0] == 10


async def test_a_group_is_made_anew_after_its_first_turn_was_erased(store: Stores) -> None:
    _, indexed = await talk(store)
    await store.index.put(indexed, Addition(entries(), OLD))
    await store.index.erase(indexed, [2])
    (group,) = await store.index.stale(indexed, NEW)
    await store.index.put(indexed, Addition(group, NEW))
    assert (await store.index.stats(indexed)).turns == 2


async def test_nothing_is_put_for_a_conversation_that_has_changed(store: Stores) -> None:
    head, indexed = await talk(store)
    await store.conversations.delete_items(head, Deletion([1], messages=1))
    with pytest.raises(CommitConflict):
        await store.index.put(indexed, Addition(entries(), OLD))
    await store.conversations.erase(head.address)
    with pytest.raises(CommitConflict):
        await store.index.put(replace(indexed, edits=1), Addition(entries(), OLD))
    _, again = await talk(store)
    assert await found(store, again, "dog") == []


async def test_an_index_ends_with_its_conversation(store: Stores) -> None:
    head, indexed = await talk(store)
    await store.index.put(indexed, Addition(entries(), OLD))
    await store.conversations.erase(head.address)
    _, again = await talk(store)
    assert (await store.index.stats(again)).turns == 0


async def test_a_group_expires(store: Stores, clock: Clock) -> None:
    _, indexed = await talk(store)
    await store.index.put(indexed, Addition(entries(), OLD, lifetime=int(clock.now) - 1_003 + 10))
    assert await found(store, indexed, "dog")
    clock.now += 11
    assert await found(store, replace(indexed, folds=1), "dog") == []


async def test_deleting_an_item_takes_its_turn_out_of_the_index_at_once(store: Stores) -> None:
    head, indexed = await talk(store)
    await store.index.put(indexed, Addition(entries(), OLD))
    head = await store.conversations.delete_items(head, Deletion([4, 5], messages=2))
    assert await found(store, Indexed.of(head), "dog train cello") == [2]
    assert (await store.index.stats(Indexed.of(head))).turns == 1


async def test_a_change_of_what_is_remembered_takes_new_turns_along(store: Stores) -> None:
    head, _ = await talk(store)
    memory = Memory(head.incarnation).indexed(4)
    await store.long_term.change(head, Change(memory, added=(Addition(entries()[:2], OLD),)))
    head = await store.history.head(head.address)
    assert head.folds == 1
    assert await store.long_term.read(head) == memory
    assert (await store.index.stats(Indexed.of(head))).up_to == 4
    with pytest.raises(CommitConflict):
        await store.long_term.change(replace(head, folds=0), Change(memory, added=(Addition(entries()[2:], OLD),)))
    assert (await store.index.stats(Indexed.of(head))).up_to == 4


async def test_what_a_newer_fold_indexed_is_not_removed_by_one_that_read_before_it(store: Stores) -> None:
    head, indexed = await talk(store)
    memory = Memory(head.incarnation).indexed(4)
    await store.long_term.change(head, Change(memory, added=(Addition(entries()[:2], OLD),)))
    with pytest.raises(CommitConflict):
        await store.index.erase(indexed)
    now = Indexed.of(await store.history.head(head.address))
    assert (await store.index.stats(now)).turns == 2
    assert await store.index.erase(now) == 2


async def test_a_fold_of_all_parts_is_one_transaction_however_large(store: Stores) -> None:
    head, _ = await talk(store)
    many = tuple(
        Assertion(f"fact_{n}", "add", "s" * 200, "p" * 200, "o" * 200, evidence=(Evidence(f"m{n}", Moment(1, 1)),))
        for n in range(20)
    )
    summary = Summary("word " * 8_000, 4, "en", "m", 1, 8_000, 1)
    memory = replace(Memory(head.incarnation).folded(summary).extracted(4).indexed(1_024), folds=1)
    texts = [f"{n} " + " ".join(f"w{n * 40 + k}" for k in range(40)) for n in range(512)]
    groups = tuple(Addition(entries(*texts[:64], first=5_000 + 64 * n), OLD) for n in range(8))
    added = (Addition(entries(*texts), OLD), *groups)
    await store.long_term.change(head, Change(memory, added=added, found=Found(1, 4, many)))
    now = await store.history.head(head.address)
    assert (await store.index.stats(Indexed.of(now))).turns == 1_024
    assert len((await store.facts.of_conversation(now)).assertions) == 20
    assert (await store.long_term.read(now) or memory).summary == summary
