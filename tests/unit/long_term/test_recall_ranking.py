"""What of the candidates is shown."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.long_term.recall import WORDS, Candidate, Limits, Ranking, Scale, rank

SCALE = Scale()


def turn(place: int, score: float | None = None, **given: Any) -> Candidate:
    scores = {} if score is None else {"lex": score, "cos": score}
    made = {"lex": 0.0, "digest": place, "tokens": 20, "created_at": 100 * place, **scores, **given}
    return Candidate("c", seq=2 * place, items=2, place=place, **made)


def shown(ranking: Ranking) -> list[int]:
    return [one.candidate.place for one in ranking.shown]


def reasons(ranking: Ranking) -> dict[int, str | None]:
    return {one.candidate.place: one.reason for one in ranking.left_out}


def test_nothing_is_shown_where_even_the_best_is_below_the_floor() -> None:
    ranking = rank([turn(1, 0.2), turn(2, 0.1)], Limits(), SCALE)
    assert shown(ranking) == []
    assert reasons(ranking) == {1: "below_floor", 2: "below_floor"}


@pytest.mark.parametrize(("floor", "found"), [(None, []), (0.0, [1]), (0.2, [1]), (0.21, [])])
def test_a_floor_of_zero_is_a_floor(floor: float | None, found: list[int]) -> None:
    assert shown(rank([turn(1, 0.2)], Limits(min_score=floor), SCALE)) == found


def test_words_alone_have_a_floor_of_their_own() -> None:
    candidate = turn(1, lex=(WORDS.floor + SCALE.floor) / 2)
    assert shown(rank([candidate], Limits(), SCALE)) == [1]
    assert shown(rank([replace(candidate, cos=0.0)], Limits(), SCALE)) == []


def test_the_words_weigh_more_than_the_direction_and_both_open_the_gate() -> None:
    said, near = turn(1, lex=0.6, cos=0.0), turn(2, lex=0.0, cos=0.6)
    ranking = rank([said, near], Limits(relative=0.0), SCALE)
    scores = {one.candidate.place: one.score for one in ranking.shown}
    assert scores == {1: pytest.approx(0.42), 2: pytest.approx(0.18)}
    # By its direction alone the second is the best there is, and good enough.
    assert shown(rank([near], Limits(), SCALE)) == [2]


def test_what_is_far_behind_the_best_is_left_out_though_there_is_room() -> None:
    ranking = rank([turn(1, 0.8), turn(2, 0.4), turn(3, 0.39)], Limits(), SCALE)
    assert shown(ranking) == [1, 2]
    assert reasons(ranking) == {3: "below_floor"}


def test_the_newest_stands_for_all_that_say_the_same() -> None:
    same = [turn(place, 0.9 - place / 100, digest=7) for place in (1, 2, 3)]
    ranking = rank([*same, turn(4, 0.5)], Limits(), SCALE)
    assert shown(ranking) == [3, 4]
    assert reasons(ranking) == {1: "duplicate", 2: "duplicate"}
    assert ranking.shown[0].score == pytest.approx(0.89)


def test_what_the_window_says_is_not_said_again() -> None:
    ranking = rank([turn(1, 0.9, shown=True), turn(2, 0.8)], Limits(neighbours=1), SCALE)
    assert shown(ranking) == [2]
    assert reasons(ranking) == {1: "duplicate"}


def test_a_hit_that_does_not_fit_makes_way_for_the_next() -> None:
    candidates = [turn(1, 0.9, tokens=40), turn(2, 0.8, tokens=70), turn(3, 0.7, tokens=60)]
    ranking = rank(candidates, Limits(max_tokens=100), SCALE)
    assert shown(ranking) == [1, 3]
    assert reasons(ranking) == {2: "token_cap"}


def test_there_are_at_most_k_in_the_order_in_which_they_were_said() -> None:
    ranking = rank([turn(place, place / 10) for place in (9, 6, 8, 7)], Limits(k=3), SCALE)
    assert shown(ranking) == [7, 8, 9]
    assert reasons(ranking) == {6: "limit"}


def test_neighbours_fill_what_is_left_of_the_budget_the_best_hits_first() -> None:
    candidates = [turn(place, 0.9 if place == 5 else 0.8 if place == 2 else 0.1) for place in range(1, 8)]
    assert shown(rank(candidates, Limits(neighbours=1), SCALE)) == [1, 2, 3, 4, 5, 6]
    assert shown(rank(candidates, Limits(neighbours=1, max_tokens=80), SCALE)) == [2, 4, 5, 6]
    assert shown(rank(candidates, Limits(), SCALE)) == [2, 5]


def test_an_expired_turn_is_neither_hit_nor_neighbour_and_does_not_set_the_measure() -> None:
    ranking = rank([turn(1, 0.99, expired=True), turn(2, 0.3)], Limits(neighbours=1), SCALE)
    assert shown(ranking) == [2]
    assert reasons(ranking) == {1: "expired"}


def test_equal_scores_go_by_time() -> None:
    assert shown(rank([turn(1, 0.5), turn(2, 0.5)], Limits(k=1), SCALE)) == [2]


SCORES = st.floats(-1, 1, allow_nan=False)
CANDIDATES = st.lists(
    st.builds(
        turn,
        st.integers(1, 60),
        lex=st.floats(0, 1),
        cos=SCORES | st.none(),
        tokens=st.integers(0, 300),
        digest=st.integers(0, 20),
        expired=st.booleans(),
        shown=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda one: one.place,
)
LIMITS = st.builds(
    Limits,
    k=st.integers(1, 8),
    min_score=st.none() | st.floats(0, 1),
    relative=st.floats(0, 1),
    max_tokens=st.integers(0, 600),
    neighbours=st.integers(0, 3),
)


@given(CANDIDATES, LIMITS, st.randoms(use_true_random=False))
def test_whatever_is_found_the_promises_hold(candidates: list[Candidate], limits: Limits, random: Any) -> None:
    ranking = rank(candidates, limits, SCALE)
    taken = [one.candidate for one in ranking.shown]
    assert sum(one.tokens for one in taken) <= limits.max_tokens
    assert len({one.digest for one in taken}) == len(taken) <= limits.k * (1 + 2 * limits.neighbours)
    assert not any(one.expired or one.shown for one in taken)
    assert [one.created_at for one in taken] == sorted(one.created_at for one in taken)
    # Each candidate is accounted for once, and their order does not matter.
    assert {one.candidate for one in ranking.left_out} | set(taken) == set(candidates)
    assert len(ranking.left_out) + len(taken) == len(candidates)
    random.shuffle(candidates)
    assert rank(candidates, limits, SCALE) == ranking
