from __future__ import annotations

from dataclasses import replace

import pytest

from chat_core.errors import InvalidRequest, NotFound, VersionConflict
from chat_core.history import Head
from chat_core.keys import Address
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import Assertion, Evidence
from chat_core.long_term.facts.records import Moment
from chat_core.long_term.remembered import Correction, RememberedFacts, Wanted, version_of
from tests.fakes.facts import InMemoryFactStore
from tests.fakes.history import InMemoryTable
from tests.fakes.said import put_found

pytestmark = pytest.mark.anyio
NOW = 100 * 86_400
HEAD = Head(Address("naomi", "chat"), "a" * 16)
ALL = Wanted()
TABLE = InMemoryTable()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def said(seq: int, obj: str, predicate: str = "lives in", subject: str = "user") -> Assertion:
    evidence = (Evidence(f"msg_{seq}", Moment(seq * 86_400, seq)),)
    return Assertion(f"fact_{seq}", "add", subject, predicate, obj, cardinality="one", evidence=evidence)


@pytest.fixture
def store() -> InMemoryFactStore:
    store = InMemoryFactStore(TABLE)
    TABLE.users.clear()
    told = (said(1, "Paris"), said(2, "Rome"), said(3, "柴犬", "犬種", "ポチ"))
    put_found(TABLE.users, HEAD, Found(1, 3, told))
    return store


@pytest.fixture
def facts(store: InMemoryFactStore) -> RememberedFacts:
    return RememberedFacts(store, clock=lambda: NOW)


async def test_facts_are_listed_the_last_said_first_page_by_page(facts: RememberedFacts) -> None:
    first = await facts.page("naomi", ALL, limit=2, after=None, order="desc")
    assert [fact.id for fact in first.data] == ["fact_3", "fact_2"]
    assert first.has_more
    second = await facts.page("naomi", ALL, limit=2, after="fact_2", order="desc")
    assert [fact.id for fact in second.data] == ["fact_1"]
    assert not second.has_more


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(status="current"), ["fact_2", "fact_3"]),
        (Wanted(status="superseded"), ["fact_1"]),
        (Wanted(subject=" ぽち"), []),
        (Wanted(subject="ポチ"), ["fact_3"]),
        (Wanted(subject="USER", status="current"), ["fact_2"]),
    ],
)
async def test_a_list_can_be_narrowed(facts: RememberedFacts, wanted: Wanted, ids: list[str]) -> None:
    assert [fact.id for fact in (await facts.page("naomi", wanted, limit=9, after=None, order="asc")).data] == ids


async def test_another_users_facts_are_not_found(facts: RememberedFacts) -> None:
    assert (await facts.page("eve", ALL, limit=9, after=None, order="asc")).data == ()
    with pytest.raises(NotFound):
        await facts.get("eve", "fact_1")
    with pytest.raises(NotFound):
        await facts.forget("eve", "fact_1")
    with pytest.raises(InvalidRequest) as error:
        await facts.page("eve", ALL, limit=9, after="fact_1", order="asc")
    assert error.value.param == "after"


async def test_a_correction_changes_the_words_and_the_version(facts: RememberedFacts) -> None:
    fact = await facts.get("naomi", "fact_2")
    corrected = await facts.correct("naomi", "fact_2", Correction(object_value="Roma"), version=version_of(fact))
    assert (corrected.id, corrected.newest.object, corrected.pinned) == ("fact_2", "Roma", True)
    assert corrected.item_ids == ("msg_2",)
    with pytest.raises(VersionConflict):
        await facts.correct("naomi", "fact_2", Correction(object_value="Bonn"), version=version_of(fact))


async def test_a_correction_may_end_or_pin_it_alone(facts: RememberedFacts) -> None:
    pinned = await facts.correct("naomi", "fact_2", Correction(pinned=True), version=1)
    assert (pinned.newest.object, pinned.pinned, pinned.status) == ("Rome", True, "current")
    ended = await facts.correct("naomi", "fact_2", Correction(valid_to="2026-05"), version=2)
    assert (ended.status, ended.valid_to, ended.pinned) == ("retracted", "2026-05", True)


async def test_what_ended_is_corrected_and_stays_ended(facts: RememberedFacts) -> None:
    fact = await facts.correct("naomi", "fact_1", Correction(object_value="Lyon"), version=1)
    assert (fact.status, fact.newest.object) == ("superseded", "Lyon")


async def test_the_forgotten_is_gone_and_old_evidence_does_not_bring_it_back(
    facts: RememberedFacts, store: InMemoryFactStore
) -> None:
    await facts.forget("naomi", "fact_2")
    with pytest.raises(NotFound):
        await facts.get("naomi", "fact_2")
    assert (await facts.get("naomi", "fact_1")).status == "current"
    known = await store.of_user("naomi")
    put_found(TABLE.users, HEAD, Found(5, 5, (replace(said(5, "Rome"), id="fact_5"),), known.forgotten))
    with pytest.raises(NotFound):
        await facts.get("naomi", "fact_5")
    again = replace(said(101, "Rome"), id="fact_101")
    put_found(TABLE.users, HEAD, Found(101, 101, (again,), known.forgotten))
    assert (await facts.get("naomi", "fact_101")).status == "current"


async def test_all_can_be_forgotten(facts: RememberedFacts) -> None:
    assert await facts.forget_all("naomi") == 3
    assert (await facts.page("naomi", ALL, limit=9, after=None, order="asc")).data == ()
