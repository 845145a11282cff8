"""Search over blocks: what is near is found, and what may not be compared or shown is not."""

import math
import random
from collections.abc import Sequence

import pytest

from chat_core.long_term.recall import (
    Block,
    Candidate,
    Entry,
    Found,
    Limits,
    Query,
    QueryVector,
    Scale,
    Vectors,
    build,
    digest,
    rank,
    search,
    signs,
    terms,
    weighted,
)
from chat_core.long_term.recall.signs import combined, cosines

TALK = (
    "We moved to Lisbon last spring.",
    "The trains here are always late.",
    "My dog Pochi only eats salmon and rice.",
    "I have to finish the report by Friday.",
    "My sister plays the cello in an orchestra.",
    "I burned the pancakes again.",
    "The garden needs new soil before the tomatoes.",
)
MODEL = "universal-sentence-encoder-multilingual"
SCALE = Scale()
RANDOM = random.Random(7)
DIRECTIONS = [[RANDOM.gauss(0, 1) for _ in range(512)] for _ in TALK]


def block(texts: Sequence[str] = TALK, *, first: int = 1, model: str = MODEL, embedded_at: int = 100) -> Block:
    turns = [
        Entry(2 * number, 2, 10 * number, 20, digest(text), terms(text), signs(DIRECTIONS[number % len(TALK)]))
        for number, text in enumerate(texts, first)
    ]
    return build(turns, Vectors(model, 512, embedded_at))


def found(query: Query, *blocks: Block, limit: int = 64) -> Found:
    return search(blocks or (block(),), query, conversation="c", limit=limit)


def best(query: Query, *blocks: Block) -> Candidate:
    return max(found(query, *blocks).candidates, key=lambda one: one.lex + (one.cos or 0))


def vector(number: int, *, model: str = MODEL, fresh_from: float = 0) -> QueryVector:
    return QueryVector(model, 512, signs(DIRECTIONS[number % len(TALK)]), fresh_from)


def test_words_find_the_turn_that_has_them() -> None:
    assert best(Query(weighted("What does my dog eat?"))).seq == 6
    assert not found(Query(weighted("Explain quantum chromodynamics"))).candidates


def test_a_direction_finds_the_turn_that_shares_no_word() -> None:
    query = Query(weighted("zzz"), vector(5), SCALE)
    nearest = best(query)
    assert nearest.seq == 10
    assert nearest.cos == pytest.approx(0.8, abs=0.1)


def test_signs_tell_the_cosine() -> None:
    one, other = DIRECTIONS[:2]
    for share in (0.0, 0.5, 2.0, 100.0):
        mixed = combined(one, other, share)
        exact = sum(a * b for a, b in zip(one, mixed, strict=True)) / math.hypot(*one) / math.hypot(*mixed)
        assert cosines(512)[(signs(one) ^ signs(mixed)).bit_count()] == pytest.approx(exact, abs=0.12)
    assert combined(one, None, 1.0) == one
    assert combined(one, [1.0], 1.0) == one


@pytest.mark.parametrize(
    "query",
    [
        Query(weighted("my dog"), None, SCALE),
        Query(weighted("my dog"), vector(3, model="another"), SCALE),
        Query(weighted("my dog"), vector(3, fresh_from=101), SCALE),
        Query(weighted("my dog"), QueryVector(MODEL, 256, 0), SCALE),
    ],
    ids=["no vector", "another model", "too old", "another length"],
)
def test_vectors_that_may_not_be_compared_leave_the_words(query: Query) -> None:
    result = found(query)
    assert not result.compared
    assert result.candidates
    assert all(one.cos is None for one in result.candidates)


def test_a_fresh_block_is_compared_beside_a_stale_one() -> None:
    query = Query(weighted("my dog"), vector(3, fresh_from=101), SCALE)
    result = found(query, block(), block(first=8, embedded_at=200))
    assert result.compared
    assert {one.cos is None for one in result.candidates if one.seq <= 14} == {True}
    assert {one.cos is None for one in result.candidates if one.seq > 14} == {False}


def test_the_turns_of_the_window_are_no_candidates_and_mark_who_says_the_same() -> None:
    texts = ("My dog only eats salmon.", *TALK[3:], "My dog only eats salmon!", "And my cat eats mice.")
    result = found(Query(weighted("what does my dog eat"), before=12), block(texts))
    assert {one.seq for one in result.candidates} <= {2, 4, 6, 8, 10}
    assert [one.seq for one in result.candidates if one.shown] == [2]


def test_what_was_said_too_long_ago_has_expired() -> None:
    result = found(Query(weighted("my dog eats pancakes"), since=31))
    assert {one.seq: one.expired for one in result.candidates if one.seq in (6, 12)} == {6: True, 12: False}


def test_a_turn_is_found_by_what_was_asked_before_it() -> None:
    texts = (*TALK[3:], "What does your dog eat?", "Salmon.", *TALK[:2])
    candidates = {one.seq: one for one in found(Query(weighted("dog eat")), block(texts)).candidates}
    assert candidates[10].lex > candidates[12].lex > 0
    assert 16 not in candidates


def test_the_neighbours_of_candidates_are_candidates_where_they_are_asked_for() -> None:
    query = weighted("salmon")
    assert {one.seq for one in found(Query(query)).candidates} == {4, 6, 8}
    assert {one.seq for one in found(Query(query, neighbours=2)).candidates} >= {2, 10}


def test_blocks_join_where_they_meet() -> None:
    query = Query(weighted("salmon"), neighbours=1)
    apart = found(query, block(TALK[:3]), block(TALK[3:], first=4))
    assert {(one.seq, one.place, round(one.lex, 6)) for one in apart.candidates} == {
        (one.seq, one.place, round(one.lex, 6)) for one in found(query).candidates
    }
    assert apart.turns == 7


def test_the_same_question_scores_alike_in_a_short_and_a_long_conversation() -> None:
    filler = [f"turn {number} about subject{number} and matter{number * 7}" for number in range(1_000)]
    long = [block(filler[start : start + 50], first=8 + start) for start in range(0, 1_000, 50)]
    query = Query(weighted("What does my dog Pochi eat?"))
    assert best(query, block(), *long).seq == 6
    assert best(query, block(), *long).lex == pytest.approx(best(query).lex, rel=0.5)


def test_common_words_alone_bring_nothing_up() -> None:
    texts = [f"I think that the thing with subject{number} is so" for number in range(64)]
    blocks = [block(texts, first=start) for start in (1, 65)]
    result = found(Query(weighted("is the thing that I think so")), *blocks)
    assert not rank(result.candidates, Limits(), SCALE).shown


def test_nothing_is_found_in_nothing() -> None:
    assert search([], Query(weighted("dog"), vector(1), SCALE), conversation="c", limit=4) == Found()
