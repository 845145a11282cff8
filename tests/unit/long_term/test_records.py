from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chat_core.long_term.records import CHECKPOINTS, Memory, Summary, backoff


def folded(*covers: int) -> Memory:
    memory = Memory("i")
    for seq in covers:
        memory = memory.folded(Summary(f"up to {seq}", seq))
    return memory


@given(st.lists(st.integers(1, 400), min_size=1, max_size=200), st.data())
def test_a_fall_back_loses_no_more_than_about_half(steps: list[int], data: st.DataObject) -> None:
    covers, seq = [], 0
    for step in steps:
        seq += step
        covers.append(seq)
    memory = folded(*covers)
    assert memory.folds == len(steps)
    assert memory.covers_up_to == seq
    kept = [one.covers_up_to for one in memory.summaries]
    assert len(kept) <= CHECKPOINTS
    assert kept == sorted(set(kept))
    erased = data.draw(st.integers(1, seq))
    left = memory.without(erased)
    assert left.covers_up_to < erased
    assert all(one.covers_up_to < erased for one in left.summaries)
    assert left.erased


def test_checkpoints_lie_about_twice_as_far_apart_each() -> None:
    memory = folded(*range(20, 20_001, 20))
    kept = [one.covers_up_to for one in memory.summaries]
    assert len(kept) == CHECKPOINTS
    assert kept[0] <= 200
    # Eight of a thousand: evenly they would lie 2.7 times as far apart each.
    assert max(after / before for before, after in pairwise(kept)) < 5


def test_what_is_not_covered_costs_nothing() -> None:
    memory = folded(10, 20)
    assert memory.without(21) is memory
    assert memory.without(20).covers_up_to == 10
    assert memory.without(10).covers_up_to == 0


def test_a_range_of_which_no_summary_can_be_made_is_passed() -> None:
    memory = folded(10).failed("wrong_language", refused=True).skipping(11, 20)
    assert memory.covers_up_to == 20
    assert memory.summary.text == "up to 10"
    assert memory.skipped == ((11, 20),)
    assert memory.attempts == memory.refused == 0
    assert memory.last_error == "wrong_language"
    assert memory.without(15).skipped == ()
    assert memory.without(15).covers_up_to == 10


def test_what_is_forgotten_is_not_read_again_unless_it_is_asked_for() -> None:
    memory = folded(10, 20).forgotten(24)
    assert memory.summaries == ()
    assert memory.covers_up_to == 24
    assert memory.rebuilt().covers_up_to == 0
    assert memory.folded(Summary("new", 30)).covers_up_to == 30


def test_tries_come_ever_later() -> None:
    assert [backoff(attempts) for attempts in range(1, 8)] == [1, 2, 4, 8, 16, 3600, 3600]
