"""A long dialogue at the defaults: few folds, bounded prompts, and nothing of its beginning lost."""

from __future__ import annotations

from benchmarks.long_term_memory import TURNS, ours


def test_few_folds_bounded_prompts_and_the_first_turn_in_the_notes_of_the_last() -> None:
    cost = ours({"policy": "summary_window"})
    assert TURNS == 200
    assert cost.writer.calls <= 12
    assert max(cost.sent) < 4_000 + 600  # the trigger, the notes and a question
    assert cost.known


def test_a_window_has_lost_it() -> None:
    assert not ours({"policy": "message_window"}).known
