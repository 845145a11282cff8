from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from chat_core.errors import CommitConflict
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import Assertion, Evidence, resolved
from chat_core.long_term.facts.records import Moment
from tests.contract.history_store.builders import USER

if TYPE_CHECKING:
    from chat_core.history import Head
    from chat_core.long_term.facts import Fact
    from tests.contract.fact_store.conftest import Stores

pytestmark = pytest.mark.anyio

DAY = 86_400
LATER = Moment(9 * DAY, 0)


def said(head: Head, seq: int, obj: str, *, predicate: str = "lives in") -> Assertion:
    return Assertion(
        id=f"fact_{head.incarnation}{seq:012x}00",
        op="add",
        subject="user",
        predicate=predicate,
        object=obj,
        cardinality="one",
        evidence=(Evidence(f"msg_{seq}", Moment(seq * DAY, seq)),),
        recorded_at=seq,
        conversation=head.conversation,
    )


async def put(stores: Stores, head: Head, *assertions: Assertion, last: int = 2, forgotten: int | None = None) -> None:
    if forgotten is None:
        forgotten = (await stores.facts.of_user(head.address.user)).forgotten
    await stores.put(head, Found(last - 1, last, assertions, forgotten))


async def facts(stores: Stores, user: str = USER) -> tuple[Fact, ...]:
    known = await stores.facts.of_user(user)
    return resolved(known.assertions, known.tombstones)


def objects(found: tuple[Fact, ...]) -> list[str]:
    return [fact.newest.object for fact in found if fact.status == "current"]


async def test_what_was_found_is_read_as_it_was_written(stores: Stores) -> None:
    head = await stores.talk()
    paris = said(head, 1, "Paris")
    await put(stores, head, paris)
    assert (await stores.facts.of_conversation(head)).assertions == (paris,)
    assert (await stores.facts.of_user(USER)).assertions == (paris,)


async def test_a_fold_delivered_twice_tells_it_once(stores: Stores) -> None:
    head = await stores.talk()
    for _ in range(2):
        await put(stores, head, said(head, 1, "Paris"))
    (fact,) = await facts(stores)
    assert fact.item_ids == ("msg_1",)


async def test_other_users_and_incarnations_are_not_there(stores: Stores) -> None:
    head = await stores.talk()
    other = await stores.talk(user="user-2")
    await put(stores, head, said(head, 1, "Paris"))
    await put(stores, other, said(other, 1, "Rome"))
    assert objects(await facts(stores)) == ["Paris"]
    assert (await stores.facts.of_conversation(replace(head, incarnation="f" * 16))).assertions == ()


async def test_conversations_of_one_user_are_told_apart_and_joined(stores: Stores) -> None:
    first, second = await stores.talk(), await stores.talk(conversation="my-chat-2")
    await put(stores, first, said(first, 1, "Paris"))
    await put(stores, second, said(second, 2, "tea", predicate="likes"))
    assert [one.object for one in (await stores.facts.of_conversation(first)).assertions] == ["Paris"]
    assert objects(await facts(stores)) == ["Paris", "tea"]


async def test_an_erased_item_leaves_no_fact_and_what_it_ended_holds_again(stores: Stores) -> None:
    head = await stores.talk()
    await put(stores, head, said(head, 1, "Paris"), last=2)
    await put(stores, head, said(head, 3, "Rome"), last=4)
    assert objects(await facts(stores)) == ["Rome"]
    await stores.erase_items(head, [3])
    (fact,) = await facts(stores)
    assert (fact.newest.object, fact.status, fact.superseded_by) == ("Paris", "current", None)


async def test_a_fact_with_other_evidence_stays(stores: Stores) -> None:
    head = await stores.talk()
    await put(stores, head, said(head, 1, "Paris"), last=2)
    await put(stores, head, said(head, 3, "Paris"), last=4)
    await stores.erase_items(head, [1])
    (fact,) = await facts(stores)
    assert fact.item_ids == ("msg_3",)


async def test_a_correction_is_read_with_its_conversation(stores: Stores) -> None:
    head = await stores.talk()
    await put(stores, head, said(head, 1, "Paris"))
    (fact,) = await facts(stores)
    lyon = replace(
        said(head, 1, "Lyon"), id="c1", op="supersede", evidence=(), correction=True, pinned=True, recorded_at=5 * DAY
    )
    read = await stores.facts.of_user(USER)
    await stores.facts.correct(USER, read, fact, replace(lyon, replaces=fact.id))
    known = await stores.facts.of_conversation(head)
    assert objects(resolved(known.assertions)) == ["Lyon"]
    assert (await stores.history.history.head(head.address)).edits == head.edits + 1
    with pytest.raises(CommitConflict):
        await stores.facts.correct(USER, read, fact, replace(lyon, id="c2", replaces=fact.id))


async def test_forgotten_words_are_nowhere_and_do_not_come_back(stores: Stores) -> None:
    head = await stores.talk()
    await put(stores, head, said(head, 1, "Paris"), said(head, 1, "tea", predicate="likes"))
    paris = next(fact for fact in await facts(stores) if fact.newest.object == "Paris")
    before = (await stores.facts.of_user(USER)).forgotten
    await stores.facts.forget(USER, paris, LATER)
    assert objects(await facts(stores)) == ["tea"]
    known = await stores.facts.of_user(USER)
    assert "Paris" not in repr(known)
    assert (await stores.history.history.head(head.address)).edits == head.edits + 1
    with pytest.raises(CommitConflict):  # a fold that began before
        await put(stores, head, said(head, 1, "Paris"), last=4, forgotten=before)
    await put(stores, head, said(head, 3, "Paris"), last=4, forgotten=known.forgotten)
    assert objects(await facts(stores)) == ["tea"]
    await put(stores, head, said(head, 11, "Paris"), last=12, forgotten=known.forgotten)
    assert objects(await facts(stores)) == ["tea", "Paris"]


async def test_forgetting_all_keeps_what_was_to_be_forgotten(stores: Stores) -> None:
    head = await stores.talk()
    await put(stores, head, said(head, 1, "Paris"))
    (fact,) = await facts(stores)
    await stores.facts.forget(USER, fact, LATER)
    known = await stores.facts.of_user(USER)
    await put(stores, head, said(head, 3, "tea", predicate="likes"), last=4, forgotten=known.forgotten)
    assert await stores.facts.forget_all(USER) == 1
    left = await stores.facts.of_user(USER)
    assert left.assertions == ()
    assert left.tombstones == known.tombstones
    assert await stores.facts.forget_all(USER) == 0


async def test_nothing_is_known_at_first(stores: Stores) -> None:
    head = await stores.talk()
    assert (await stores.facts.of_conversation(head)).assertions == ()
    await put(stores, head)
    assert await facts(stores) == ()


async def test_an_erased_conversation_leaves_no_fact_and_no_correction(stores: Stores) -> None:
    head, other = await stores.talk(), await stores.talk(conversation="my-chat-2")
    await put(stores, head, said(head, 1, "Paris"))
    await put(stores, other, said(other, 1, "tea", predicate="likes"))
    fact = next(fact for fact in await facts(stores) if fact.newest.object == "Paris")
    lyon = replace(said(head, 1, "Lyon"), id="c1", op="supersede", evidence=(), correction=True, recorded_at=5 * DAY)
    await stores.facts.correct(USER, await stores.facts.of_user(USER), fact, replace(lyon, replaces=fact.id))
    await stores.history.conversations.erase(head.address)
    known = await stores.facts.of_user(USER)
    assert [one.object for one in known.assertions] == ["tea"]


async def test_an_erased_user_leaves_nothing_and_no_fold_that_began_before_writes(stores: Stores) -> None:
    head, later = await stores.talk(), await stores.talk(conversation="my-chat-2")
    await put(stores, head, said(head, 1, "Paris"), said(head, 1, "tea", predicate="likes"))
    paris = next(fact for fact in await facts(stores) if fact.newest.object == "Paris")
    await stores.facts.forget(USER, paris, LATER)
    before = await stores.facts.of_user(USER)
    assert await stores.facts.erase_user(USER) > 0
    assert await stores.facts.erase_user(USER) == 0
    known = await stores.facts.of_user(USER)
    assert (known.assertions, known.tombstones) == ((), ())
    with pytest.raises(CommitConflict):  # a fold of another conversation that read what was known
        await put(stores, later, said(later, 1, "Paris"), forgotten=before.forgotten)
    await put(stores, later, said(later, 1, "Lyon"))
    with pytest.raises(CommitConflict):  # nor after something was found anew
        await put(stores, later, said(later, 3, "Paris"), last=4, forgotten=before.forgotten)
    assert objects(await facts(stores)) == ["Lyon"]


async def test_of_two_first_folds_at_once_the_other_reads_again(stores: Stores) -> None:
    head, other = await stores.talk(), await stores.talk(conversation="my-chat-2")
    await put(stores, head, said(head, 1, "Paris"), forgotten=0)
    with pytest.raises(CommitConflict):
        await put(stores, other, said(other, 1, "Rome"), forgotten=0)
    await put(stores, other, said(other, 1, "Rome"))
    assert len((await stores.facts.of_user(USER)).assertions) == 2


async def test_a_fold_between_reading_and_correcting_refuses_the_correction(stores: Stores) -> None:
    head = await stores.talk()
    await put(stores, head, said(head, 1, "Paris"))
    read = await stores.facts.of_user(USER)
    (fact,) = resolved(read.assertions)
    await put(stores, head, said(head, 3, "Rome"), last=4)
    lyon = replace(said(head, 1, "Lyon"), id="c1", op="supersede", evidence=(), correction=True, replaces=fact.id)
    with pytest.raises(CommitConflict):
        await stores.facts.correct(USER, read, fact, lyon)
    assert objects(await facts(stores)) == ["Rome"]


async def test_every_change_makes_another_version_and_none_comes_again(stores: Stores) -> None:
    head = await stores.talk()
    other = await stores.talk(conversation="my-chat-2")
    versions: list[str] = []

    async def look() -> None:
        versions.append((await stores.facts.of_user(USER)).version)

    for last in (2, 4):
        await put(stores, head, said(head, last - 1, f"Paris {last}"), last=last)
        await look()
    await put(stores, other, said(other, 1, "tea", predicate="likes"))
    await look()
    await stores.erase_items(head, [3])
    await look()
    await stores.facts.erase(await stores.history.history.head(other.address))
    await look()
    await stores.history.conversations.erase(head.address)
    await look()
    assert len(set(versions)) == len(versions)


async def test_words_that_are_forgotten_are_an_edit_of_every_conversation_that_told_them(stores: Stores) -> None:
    first, second = await stores.talk(), await stores.talk(conversation="my-chat-2")
    third = await stores.talk(conversation="my-chat-3")
    await put(stores, first, said(first, 1, "Paris"))
    await put(stores, second, said(second, 2, "Rome"))
    await put(stores, third, said(third, 3, "Paris"))  # another fact: Rome was between
    paris = next(fact for fact in await facts(stores) if fact.status == "current")
    await stores.facts.forget(USER, paris, LATER)
    for head, edits in ((first, 1), (second, 0), (third, 1)):
        assert (await stores.history.history.head(head.address)).edits == head.edits + edits


async def test_what_a_newer_fold_found_is_not_removed_by_one_that_read_before_it(stores: Stores) -> None:
    head = await stores.talk()
    read = await stores.history.history.head(head.address)
    await put(stores, head, said(head, 1, "Paris"))
    with pytest.raises(CommitConflict):
        await stores.facts.erase(read)
    assert objects(await facts(stores)) == ["Paris"]
    assert await stores.facts.erase(await stores.history.history.head(head.address)) == 1
    assert objects(await facts(stores)) == []
