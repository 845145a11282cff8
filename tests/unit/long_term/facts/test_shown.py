from __future__ import annotations

import pytest

from chat_core.long_term.facts.records import Assertion, Evidence, Fact, Moment
from chat_core.long_term.facts.resolve import resolved
from chat_core.long_term.facts.shown import fitting, line, neighbours, occurs, own_facts, subject_facts


def facts(*triples: tuple[str, str, str]) -> tuple[Fact, ...]:
    return resolved(
        Assertion(f"fact_{n}", "add", *words, evidence=(Evidence(f"m{n}", Moment(n, n)),))
        for n, words in enumerate(triples, 1)
    )


KNOWN = facts(
    ("user", "name", "渡辺直美"),
    ("ポチ", "犬種", "柴犬"),
    ("Al", "works at", "Acme"),
    ("Acme", "is in", "Paris, France"),
    ("Paris, France", "river", "Seine"),
    ("user", "likes", "tea"),
)


def words(found: tuple[Fact, ...]) -> list[str]:
    return [fact.newest.object for fact in found]


def test_own_facts_are_the_newest_first() -> None:
    assert words(own_facts(KNOWN)) == ["tea", "渡辺直美"]


def test_a_subject_is_found_without_spaces() -> None:
    assert words(subject_facts(KNOWN, ["ポチの散歩"])) == ["柴犬"]


@pytest.mark.parametrize(
    ("text", "found"), [("what about AL?", ["Acme"]), ("also", []), ("al's desk", ["Acme"]), ("", [])]
)
def test_a_subject_in_a_spaced_script_is_a_word(text: str, found: list[str]) -> None:
    assert words(subject_facts(KNOWN, [text])) == found


def test_what_ended_is_not_shown() -> None:
    ended = resolved(
        Assertion(f"fact_{n}", "add", "Al", "works at", obj, cardinality="one", evidence=(Evidence("m", Moment(n, n)),))
        for n, obj in enumerate(("Acme", "Beta"))
    )
    assert words(subject_facts(ended, ["Al"])) == ["Beta"]


@pytest.mark.parametrize(("depth", "found"), [(1, ["Paris, France"]), (2, ["Seine", "Paris, France"])])
def test_neighbours_step_by_step(depth: int, found: list[str]) -> None:
    assert words(neighbours(KNOWN, subject_facts(KNOWN, ["Al"]), depth=depth)) == found


def test_the_user_joins_no_neighbours() -> None:
    assert neighbours(KNOWN, own_facts(KNOWN), depth=2) == ()


def test_what_does_not_fit_is_passed_over_whole() -> None:
    shown = fitting(KNOWN, lambda fact: len(fact.newest.object), most=8)
    assert words(shown.facts) == ["渡辺直美", "柴犬"]
    assert words(shown.over) == ["Acme", "Paris, France", "Seine", "tea"]


def test_a_line_tells_since_when() -> None:
    (fact,) = resolved(
        [Assertion("f", "add", "a", "b", "c", evidence=(Evidence("m", Moment(1, 1)),), valid_from="2026-05")]
    )
    assert line(fact) == "- a | b | c (2026-05–)"


def test_an_empty_subject_occurs_nowhere() -> None:
    assert not occurs("", "anything")
