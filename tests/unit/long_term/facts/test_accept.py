from __future__ import annotations

from dataclasses import replace

import pytest

from chat_core.long_term.facts.accept import Candidate, Said, accepted, is_sensitive
from chat_core.long_term.facts.records import Evidence, Moment, fact_digest

FACT = Candidate("add", "user", "lives in", "Paris", "profile", "one", None, None, ("1",))
ITEMS = {
    "1": Said(Evidence("m1", Moment(1, 1)), "I live in Paris and have 3 dogs, rent 1,200"),
    "2": Said(Evidence("m2", Moment(2, 2), "assistant"), "You must be from Kyoto"),
    "3": Said(Evidence("m3", Moment(3, 3)), "私は３匹の犬を飼っています"),
}


def asked(fact: Candidate, *, include_assistant: bool = False, forgotten: Moment | None = None) -> object:
    known = {fact_digest(fact.subject, fact.predicate, fact.object): forgotten} if forgotten else {}
    return accepted(fact, ITEMS, include_assistant=include_assistant, forgotten=known)


def test_what_the_user_said_is_taken_with_its_evidence() -> None:
    assert asked(FACT) == (ITEMS["1"].evidence,)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subject": "  "}, "blank"),
        ({"object": "\u200b\n"}, "blank"),
        ({"object": "x" * 201}, "too_long"),
        ({"evidence": ()}, "no_evidence"),
        ({"evidence": ("1", "7")}, "no_evidence"),
        ({"evidence": ("2",)}, "not_said_by_user"),
        ({"object": "4 dogs"}, "not_grounded"),
        ({"object": "rent 120"}, "not_grounded"),
        ({"object": "4111 1111 1111 1111", "evidence": ("1",)}, "sensitive"),
        ({"predicate": "password"}, "sensitive"),
    ],
)
def test_each_is_refused_by_its_reason(change: dict[str, object], reason: str) -> None:
    assert asked(replace(FACT, **change)) == reason  # type: ignore[arg-type]


@pytest.mark.parametrize("obj", ["3 dogs", "rent 1200", "rent 1,200"])
def test_numbers_that_were_said_are_grounded(obj: str) -> None:
    assert asked(replace(FACT, object=obj)) == (ITEMS["1"].evidence,)


def test_digits_of_another_width_are_the_same_number() -> None:
    assert asked(replace(FACT, object="犬3匹", evidence=("3",))) == (ITEMS["3"].evidence,)


def test_what_the_assistant_said_counts_where_it_may() -> None:
    assert asked(replace(FACT, object="Kyoto", evidence=("2",)), include_assistant=True) == (ITEMS["2"].evidence,)


def test_a_retraction_needs_no_object() -> None:
    assert asked(replace(FACT, op="retract", object="")) == (ITEMS["1"].evidence,)


def test_a_retraction_that_names_a_fact_needs_no_words_at_all() -> None:
    named = replace(FACT, op="retract", subject="", predicate="", object="", replaces="fact_1")
    assert asked(named) == (ITEMS["1"].evidence,)
    assert asked(replace(named, replaces=None)) == "blank"


def test_forgotten_is_not_taken_again_from_what_was_said_before() -> None:
    assert asked(FACT, forgotten=Moment(1, 1)) == "forgotten"
    assert asked(FACT, forgotten=Moment(0, 9)) == (ITEMS["1"].evidence,)


@pytest.mark.parametrize(
    "text", ["sk-abcdef123456789", "card 4111 1111 1111 1111", "パスワードは猫", "AKIAABCDEFGHIJKLMNOP"]
)
def test_credentials_and_cards_are_seen(text: str) -> None:
    assert is_sensitive(text)


@pytest.mark.parametrize("text", ["born 1984-03-12", "order 1234567890123", "skates", "03-1234-5678", "spinning"])
def test_ordinary_words_and_numbers_pass(text: str) -> None:
    assert not is_sensitive(text)
