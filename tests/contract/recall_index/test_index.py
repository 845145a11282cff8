"""What every index promises, whatever it stands on."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import CommitConflict
from chat_core.history import Deletion
from chat_core.long_term.index import Addition
from chat_core.long_term.recall import Entry, Query, QueryVector, Scale, Vectors, digest, signs, terms, weighted

if TYPE_CHECKING:
    from chat_core.long_term.index import Indexed
    from tests.contract.history_store.builders import Clock
    from tests.contract.recall_index.conftest import Stores

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


async def found(stores: Stores, indexed: Indexed, text: str, **given: Any) -> list[int]:
    result = await stores.index.search(indexed, Query(weighted(text), **given), limit=8)
    return [one.seq for one in sorted(result.candidates, key=lambda one: -(one.lex + (one.cos or 0)))]


async def test_an_empty_index_finds_nothing(stores: Stores) -> None:
    _, indexed = await stores.talk()
    assert await found(stores, indexed, "dog") == []
    assert (await stores.index.stats(indexed)).turns == 0
    assert await stores.index.stale(indexed, NEW) == ()
    assert await stores.index.erase(indexed) == 0


async def test_what_is_put_is_found_by_its_words(stores: Stores) -> None:
    _, indexed = await stores.talk()
    await stores.index.put(indexed, Addition(entries(), OLD))
    assert (await found(stores, indexed, "what does my dog eat"))[0] == 2
    assert (await found(stores, indexed, "cello"))[0] == 6
    assert await found(stores, indexed, "volcano") == []


async def test_and_by_its_direction(stores: Stores) -> None:
    _, indexed = await stores.talk()
    await stores.index.put(indexed, Addition(entries(), OLD))
    vector = QueryVector("old-model", 512, signs(DIRECTIONS[3]))
    assert (await found(stores, indexed, "zzz", vector=vector, scale=Scale()))[0] == 6


async def test_a_candidate_tells_where_its_turn_is(stores: Stores) -> None:
    _, indexed = await stores.talk()
    await stores.index.put(indexed, Addition(entries(), None))
    result = await stores.index.search(indexed, Query(weighted("cello")), limit=1)
    (one,) = result.candidates
    assert (one.conversation, one.first_seq, one.seq, one.place) == (indexed.address.conversation, 5, 6, 2)
    assert (one.created_at, one.tokens, one.digest, one.cos) == (1_003, 20, digest(TALK[2]), None)
    assert (result.turns, result.compared) == (3, False)


async def test_what_is_put_later_is_found_beside_it_in_a_later_state(stores: Stores) -> None:
    _, indexed = await stores.talk(80)
    await stores.index.put(indexed, Addition(entries(*(f"filler {n}" for n in range(70))), OLD))
    await found(stores, indexed, "salmon")
    await stores.index.put(indexed, Addition(entries("We had salmon.", first=71), OLD))
    assert await found(stores, replace(indexed, folds=1), "salmon") == [142, 140]
    assert (await stores.index.stats(indexed)).turns == 71
    assert (await stores.index.stats(indexed)).up_to == 142


async def test_one_conversation_never_finds_anothers_turns(stores: Stores) -> None:
    _, mine = await stores.talk()
    _, other = await stores.talk(conversation="another")
    _, foreign = await stores.talk(user="user-2")
    await stores.index.put(mine, Addition(entries(), OLD))
    assert await found(stores, other, "dog") == await found(stores, foreign, "dog") == []
    assert await found(stores, replace(mine, incarnation="0" * 16), "dog") == []
    assert await stores.index.erase(foreign) == 0
    assert (await found(stores, mine, "dog"))[0] == 2


async def test_an_erased_item_takes_its_turn_along(stores: Stores) -> None:
    _, indexed = await stores.talk()
    await stores.index.put(indexed, Addition(entries(), OLD))
    await found(stores, indexed, "dog")
    assert await stores.index.erase(indexed, [1, 9]) == 1
    assert 2 not in await found(stores, indexed, "dog cello")
    assert (await stores.index.stats(indexed)).turns == 2
    assert await stores.index.erase(indexed, [3, 6]) == 2
    assert await found(stores, indexed, "dog cello") == []
    assert (await stores.index.stats(indexed)).bytes == 0


async def test_all_of_it_can_be_erased(stores: Stores) -> None:
    _, indexed = await stores.talk(80)
    await stores.index.put(indexed, Addition(entries(*(f"dog {n}" for n in range(70))), OLD))
    assert await stores.index.erase(indexed) == 70
    assert await found(stores, indexed, "dog") == []


async def test_vectors_of_another_model_and_old_ones_are_stale_and_can_be_made_anew(stores: Stores) -> None:
    _, indexed = await stores.talk(80)
    await stores.index.put(indexed, Addition(entries(*(f"dog {n}" for n in range(70))), OLD))
    await stores.index.put(indexed, Addition(entries("cat", first=71), NEW))
    await stores.index.put(indexed, Addition(entries("no vector", first=72, signs=None), None))
    groups = await stores.index.stale(indexed, NEW)
    assert sum(len(group) for group in groups) == 71
    assert sum(len(group) for group in await stores.index.stale(indexed, OLD)) == 2
    for group in groups:
        made = tuple(replace(one, signs=signs(DIRECTIONS[one.seq // 2 % 80])) for one in group)
        await stores.index.put(indexed, Addition(made, replace(NEW, embedded_at=3_000)))
    later = replace(indexed, folds=1)
    assert await stores.index.stale(later, NEW) == ()
    assert [len(group) for group in await stores.index.stale(later, replace(NEW, embedded_at=2_500))] == [1]
    stats = await stores.index.stats(later)
    assert (stats.turns, stats.models) == (72, ("new-model",))
    vector = QueryVector("new-model", 512, signs(DIRECTIONS[5]))
    assert (await found(stores, later, "zzz", vector=vector, scale=Scale()))[0] == 10


async def test_a_group_is_made_anew_after_its_first_turn_was_erased(stores: Stores) -> None:
    _, indexed = await stores.talk()
    await stores.index.put(indexed, Addition(entries(), OLD))
    await stores.index.erase(indexed, [2])
    (group,) = await stores.index.stale(indexed, NEW)
    await stores.index.put(indexed, Addition(group, NEW))
    assert (await stores.index.stats(indexed)).turns == 2


async def test_nothing_is_put_for_a_conversation_that_has_changed(stores: Stores) -> None:
    head, indexed = await stores.talk()
    await stores.history.conversations.delete_items(head, Deletion([1], messages=1))
    with pytest.raises(CommitConflict):
        await stores.index.put(indexed, Addition(entries(), OLD))
    await stores.history.conversations.erase(head.address)
    with pytest.raises(CommitConflict):
        await stores.index.put(replace(indexed, edits=1), Addition(entries(), OLD))
    _, again = await stores.talk()
    assert await found(stores, again, "dog") == []


async def test_an_index_ends_with_its_conversation(stores: Stores) -> None:
    head, indexed = await stores.talk()
    await stores.index.put(indexed, Addition(entries(), OLD))
    await stores.history.conversations.erase(head.address)
    _, again = await stores.talk()
    assert (await stores.index.stats(again)).turns == 0


async def test_a_group_expires(stores: Stores, clock: Clock) -> None:
    _, indexed = await stores.talk()
    await stores.index.put(indexed, Addition(entries(), OLD, expires_at=int(clock.now) + 10))
    assert await found(stores, indexed, "dog")
    clock.now += 11
    assert await found(stores, replace(indexed, folds=1), "dog") == []
