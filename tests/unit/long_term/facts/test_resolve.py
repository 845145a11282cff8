from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.long_term.facts.records import Assertion, Evidence, Moment, Tombstone, fact_digest
from chat_core.long_term.facts.resolve import resolved

if TYPE_CHECKING:
    from chat_core.long_term.facts.records import Cardinality, Fact, Op


def said(
    place: int,
    obj: str,
    *,
    predicate: str = "lives in",
    cardinality: Cardinality = "one",
    op: Op = "add",
    replaces: str | None = None,
    since: str | None = None,
) -> Assertion:
    return Assertion(
        id=f"fact_{place}",
        op=op,
        subject="user",
        predicate=predicate,
        object=obj,
        cardinality=cardinality,
        evidence=(Evidence(f"m{place}", Moment(place * 86_400, place)),),
        valid_from=since,
        replaces=replaces,
        recorded_at=place,
    )


def states(facts: tuple[Fact, ...]) -> dict[str, str]:
    return {fact.newest.object: fact.status for fact in facts}


def test_one_object_at_a_time() -> None:
    paris, rome = resolved([said(1, "Paris"), said(2, "Rome", since="1970-05")])
    assert (paris.status, paris.valid_to, paris.superseded_by) == ("superseded", "1970-05", rome.id)
    assert rome.status == "current"


def test_an_end_without_a_date_is_the_day_on_which_it_was_said() -> None:
    assert resolved([said(1, "Paris"), said(2, "Rome")])[0].valid_to == "1970-01-03"


def test_many_objects_do_not_contradict() -> None:
    facts = resolved(
        [said(n, obj, predicate="likes", cardinality="many") for n, obj in enumerate(("Messi", "Ronaldo"))]
    )
    assert states(facts) == {"Messi": "current", "Ronaldo": "current"}


def test_the_same_again_is_more_evidence() -> None:
    (fact,) = resolved([said(1, "Paris"), said(2, "  PARIS!")])
    assert fact.item_ids == ("m1", "m2")
    assert fact.id == "fact_1"


def test_who_comes_back_lives_there_anew() -> None:
    facts = resolved([said(1, "Paris"), said(2, "Rome"), said(3, "Paris")])
    assert [fact.status for fact in facts] == ["superseded", "superseded", "current"]


def test_older_evidence_that_arrives_late_is_history_of_the_newer() -> None:
    late = replace(said(1, "Paris"), recorded_at=99)
    assert states(resolved([said(2, "Rome"), late])) == {"Paris": "superseded", "Rome": "current"}


def test_a_handle_ends_what_it_names_under_another_predicate() -> None:
    facts = resolved(
        [
            said(1, "Acme", predicate="works at"),
            said(2, "Beta", predicate="hired by", op="supersede", replaces="fact_1"),
        ]
    )
    assert states(facts) == {"Acme": "superseded", "Beta": "current"}


def test_a_handle_on_what_was_said_later_makes_its_owner_history() -> None:
    older = said(1, "Acme", predicate="works at", op="supersede", replaces="fact_2")
    newer = said(2, "Beta", predicate="hired by")
    facts = {fact.id: fact for fact in resolved([newer, older])}
    assert facts["fact_1"].superseded_by == "fact_2"
    assert facts["fact_2"].status == "current"


def test_a_retraction_ends_without_a_successor() -> None:
    (fact,) = resolved([said(1, "Paris"), said(2, "", op="retract", replaces="fact_1")])
    assert (fact.status, fact.valid_to, fact.superseded_by) == ("retracted", "1970-01-03", None)


def test_a_retraction_does_not_reach_what_is_said_after_it() -> None:
    facts = resolved([said(1, "Paris"), said(2, "Paris", op="retract"), said(3, "Paris")])
    assert [fact.status for fact in facts] == ["retracted", "current"]


def corrected(fact: str, obj: str, *, at: int, until: str | None = None) -> Assertion:
    words = replace(said(at, obj, op="supersede"), id=f"c{at}", evidence=(), correction=True, pinned=True)
    return replace(words, replaces=fact, recorded_at=at * 86_400, valid_to=until)


def test_a_correction_is_the_same_fact_in_other_words_and_newer_evidence_alone_ends_it() -> None:
    lyon = corrected("fact_1", "Lyon", at=4)
    late = replace(said(2, "Rome"), recorded_at=9 * 86_400)
    (fact,) = resolved([said(1, "Paris"), lyon])
    assert (fact.id, fact.newest.object, fact.pinned, fact.item_ids) == ("fact_1", "Lyon", True, ("m1",))
    assert states(resolved([said(1, "Paris"), lyon, said(9, "Bonn")])) == {"Lyon": "superseded", "Bonn": "current"}
    assert states(resolved([said(1, "Paris"), late, lyon])) == {"Lyon": "current", "Rome": "superseded"}


def test_a_correction_in_the_second_in_which_the_fact_was_said_holds() -> None:
    (fact,) = resolved([said(1, "Paris"), corrected("fact_1", "Lyon", at=1)])
    assert (fact.newest.object, fact.pinned) == ("Lyon", True)


def test_a_correction_may_say_when_it_ended() -> None:
    (fact,) = resolved([said(1, "Paris"), corrected("fact_1", "Paris", at=5, until="2026-01")])
    assert (fact.status, fact.valid_to) == ("retracted", "2026-01")


def test_what_had_ended_is_corrected_and_stays_ended() -> None:
    lyon = replace(corrected("fact_1", "Lyon", at=4), op="add")
    assert states(resolved([said(1, "Paris"), said(2, "Rome"), lyon])) == {"Lyon": "superseded", "Rome": "current"}


def test_a_correction_of_what_is_gone_tells_nothing() -> None:
    assert resolved([corrected("fact_1", "Lyon", at=4)]) == ()


def test_forgotten_stays_forgotten_and_saying_it_again_brings_it_back() -> None:
    stone = Tombstone(fact_digest("user", "lives in", "Paris"), Moment(5 * 86_400, 0))
    assert resolved([said(1, "Paris")], [stone]) == ()
    (fact,) = resolved([said(1, "Paris"), said(6, "Paris")], [stone])
    assert fact.item_ids == ("m6",)


def test_what_the_forgotten_had_ended_holds_again() -> None:
    stone = Tombstone(fact_digest("user", "lives in", "Rome"), Moment(5 * 86_400, 0))
    assert states(resolved([said(1, "Paris"), said(2, "Rome")], [stone])) == {"Paris": "current"}


def test_without_its_item_a_fact_is_gone_and_what_it_ended_holds_again() -> None:
    rome = said(2, "Rome")
    assert states(resolved([said(1, "Paris"), replace(rome, evidence=())])) == {"Paris": "current"}


objects = st.sampled_from(["Paris", "paris ", "Rome", "大阪", "福岡"])
assertions = st.lists(
    st.builds(
        said,
        st.integers(1, 12),
        objects,
        predicate=st.sampled_from(["lives in", "likes"]),
        cardinality=st.sampled_from(["one", "many"]),
        op=st.sampled_from(["add", "supersede", "retract"]),
        replaces=st.none() | st.integers(1, 12).map("fact_{}".format),
    ),
    max_size=10,
    unique_by=lambda one: one.id,
)


@given(assertions, st.randoms(use_true_random=False))
def test_any_order_of_delivery_gives_the_same_facts(given_: list[Assertion], random: object) -> None:
    shuffled = list(given_)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert resolved(shuffled) == resolved(given_)


@given(assertions)
def test_nothing_that_was_said_is_lost(given_: list[Assertion]) -> None:
    facts = resolved(given_)
    told = sorted(one.id for fact in facts for one in fact.said)
    assert told == sorted(one.id for one in given_ if one.op != "retract")
    assert all(fact.item_ids for fact in facts)


@given(assertions)
def test_what_is_ended_names_who_ended_it_and_one_object_holds(given_: list[Assertion]) -> None:
    facts = {fact.id: fact for fact in resolved(given_)}
    current: set[tuple[str, str]] = set()
    for fact in facts.values():
        assert (fact.superseded_by is not None) == (fact.status == "superseded")
        if fact.superseded_by:
            assert fact.superseded_by in facts
        if fact.status == "current" and fact.newest.cardinality == "one":
            assert fact.newest.key not in current
            current.add(fact.newest.key)


@pytest.mark.parametrize("status", ["current", "superseded"])
def test_the_moment_of_a_fact_is_that_of_its_newest_words(status: str) -> None:
    given_ = [said(1, "Paris"), said(3, "Paris"), *([said(4, "Rome")] if status == "superseded" else [])]
    fact = resolved(given_)[0]
    assert fact.status == status
    assert fact.moment == Moment(3 * 86_400, 3)
