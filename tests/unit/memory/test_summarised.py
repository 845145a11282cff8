"""The policies with a summary: every turn is in the summary, in the window, or told as left out, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.memory import Counting, Earlier, Folding, Notes, parse_policy
from chat_core.messages import Message
from tests.unit.memory.histories import numbered, system

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.memory import View

NOTES = Message("user", "<memory_notes>They met.</memory_notes>")
TEN = Counting(count=lambda _message: 10, overhead=3)


def turns(count: int, first: int = 1) -> tuple[Message, ...]:
    said = [Message(role, role) for _ in range(count) for role in ("user", "assistant")]
    return numbered(said, first)


def seqs(view: View) -> list[int]:
    return [message.seq for message in view.messages if message is not view.notes]


def reasons(view: View) -> dict[int, str]:
    return {left.message.seq: left.reason for left in view.left_out}


@pytest.mark.parametrize(
    ("settings", "folding", "max_tokens"),
    [
        ({"policy": "summary"}, Folding(1_000, 0), 0),
        ({"policy": "summary", "trigger_tokens": 600}, Folding(600, 300), 0),
        ({"policy": "summary", "trigger_messages": 7}, Folding(7, 3, "messages"), 0),
        ({"policy": "summary", "keep": 999, "max_summary_tokens": 50}, Folding(1_000, 999, "tokens", 50), 0),
        ({"policy": "summary_window"}, Folding(4_000, 2_000), 0),
        ({"policy": "summary_window", "max_tokens": 3_000}, Folding(1_500, 750), 3_000),
        ({"policy": "summary_window", "max_tokens": 400}, Folding(200, 100, "tokens", 100), 400),
        ({"policy": "summary_window", "trigger_tokens": 1, "max_tokens": 9_000}, Folding(1, 0), 9_000),
    ],
)
def test_defaults(settings: dict[str, Any], folding: Folding, max_tokens: int) -> None:
    policy: Any = parse_policy(settings)
    assert policy.folding == folding
    assert policy.max_tokens == max_tokens


def test_the_notes_stand_between_the_system_message_and_the_window() -> None:
    policy = parse_policy({"policy": "summary_window"})
    history = turns(3)
    view = policy.view(
        (*history, Message("user", "now")),
        system=system("pinned"),
        inputs=1,
        earlier=Earlier(count=1, notes=Notes(NOTES, covers_up_to=2)),
        counting=TEN,
    )
    assert " ".join(message.role for message in view.messages) == "system user user assistant user assistant user"
    assert view.messages[1] is view.notes is NOTES
    assert view.tokens == {"system": 10, "notes": 10, "history": 40, "input": 10, "tools": 0, "total": 73}
    assert reasons(view) == {1: "summarised", 2: "summarised"}
    assert (view.retained, view.evicted) == (7, 2)


def test_without_notes_there_is_no_message_of_them() -> None:
    view = parse_policy({"policy": "summary"}).view(turns(2), counting=TEN)
    assert view.notes is None
    assert "notes" not in view.tokens
    assert seqs(view) == [1, 2, 3, 4]


def test_the_window_without_a_budget_holds_twice_the_trigger_whatever_stands_before_it() -> None:
    policy = parse_policy({"policy": "summary_window", "trigger_tokens": 40})
    for first in (None, system("pinned")):
        view = policy.view(turns(20), system=first, counting=TEN)
        assert seqs(view)[-8:] == [33, 34, 35, 36, 37, 38, 39, 40]
        assert len(seqs(view)) == 8 + (first is not None)
        assert set(reasons(view).values()) == {"not_yet_summarised"}


def test_a_budget_counts_the_notes() -> None:
    policy = parse_policy({"policy": "summary_window", "trigger_tokens": 1_000, "max_tokens": 63})
    assert seqs(policy.view(turns(9), counting=TEN)) == [13, 14, 15, 16, 17, 18]
    noted = policy.view(turns(9), earlier=Earlier(notes=Notes(NOTES, covers_up_to=2)), counting=TEN)
    assert seqs(noted) == [15, 16, 17, 18]
    assert reasons(noted) == {1: "summarised", 2: "summarised"} | dict.fromkeys(range(3, 15), "not_yet_summarised")


def test_no_window_is_larger_than_the_model() -> None:
    policy = parse_policy({"policy": "summary_window"})
    view = policy.view(turns(9), counting=replace(TEN, window=45))
    assert seqs(view) == [15, 16, 17, 18]
    budget = parse_policy({"policy": "summary_window", "max_tokens": 9_000})
    assert seqs(budget.view(turns(9), counting=replace(TEN, window=45))) == [15, 16, 17, 18]


def test_what_was_forgotten_or_skipped_is_told_so() -> None:
    policy = parse_policy({"policy": "summary", "trigger_tokens": 10})
    notes = Notes(NOTES, covers_up_to=8, forgotten_up_to=2, skipped=((5, 6),))
    view = policy.view(turns(6), earlier=Earlier(notes=notes), counting=TEN)
    assert seqs(view) == [11, 12]
    assert reasons(view) == {
        1: "forgotten",
        2: "forgotten",
        3: "summarised",
        4: "summarised",
        5: "skipped",
        6: "skipped",
        7: "summarised",
        8: "summarised",
        9: "not_yet_summarised",
        10: "not_yet_summarised",
    }


def test_what_was_forgotten_is_shown_as_long_as_the_window_holds_it() -> None:
    policy = parse_policy({"policy": "summary", "trigger_tokens": 20})
    view = policy.view(turns(4), earlier=Earlier(notes=Notes(forgotten_up_to=6)), counting=TEN)
    assert seqs(view) == [5, 6, 7, 8]
    assert reasons(view) == dict.fromkeys(range(1, 5), "forgotten")


def test_a_tail_that_may_lack_uncovered_turns_is_short() -> None:
    policy = parse_policy({"policy": "summary_window"})
    tail = turns(3, first=11)
    for covers, short in ((8, True), (10, False), (12, False)):
        earlier = Earlier(whole=False, count=10, notes=Notes(NOTES, covers_up_to=covers))
        assert policy.view(tail, earlier=earlier, counting=TEN).short is short


def cost(message: Message) -> int:
    return len(message.text) if message is not NOTES else 7


def paths(history: Sequence[Message], notes: Notes, settings: dict[str, Any], step: int) -> tuple[View, View, View]:
    """Compute the view of the whole history, of a tail as a turn reads it, and of what the turns before kept."""
    policy = parse_policy(settings)
    counting = Counting(count=cost, overhead=3)
    new = (Message("user", "and now?"),)
    whole = policy.view((*history, *new), inputs=1, earlier=Earlier(notes=notes), counting=counting)

    def by_tail(reach: int) -> View:
        tail = history[max(len(history) - reach, 0) :]
        all_at_hand = len(tail) == len(history)
        earlier = Earlier(whole=all_at_hand, count=len(history) - len(tail), notes=notes)
        view = policy.view((*tail, *new), inputs=1, earlier=earlier, counting=counting)
        return by_tail(2 * reach) if view.short else view

    kept = policy.keep(history[:step], earlier=Earlier(notes=Notes()), counting=counting)
    for start in range(step, len(history), step):
        now = replace(kept.earlier, notes=Notes() if start + step < len(history) else notes)
        kept = policy.keep((*kept.messages, *history[start : start + step]), earlier=now, counting=counting)
    by_value = policy.view(
        (*kept.messages, *new), inputs=1, earlier=replace(kept.earlier, notes=notes), counting=counting
    )
    return whole, by_tail(4), by_tail(4) if by_value.short else by_value


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=60),
    st.integers(0, 60),
    st.integers(20, 200),
    st.booleans(),
    st.integers(1, 9),
)
def test_every_turn_is_somewhere_on_every_path(
    lengths: list[int], covers: int, trigger: int, in_tokens: bool, step: int
) -> None:
    roles = ("user", "assistant")
    history = numbered([Message(roles[place % 2], "x" * length) for place, length in enumerate(lengths)])  # type: ignore[arg-type]
    covers = min(covers, (len(history) - 1) // 2 * 2)
    notes = Notes(NOTES if covers else None, covers_up_to=covers)
    unit = {"trigger_tokens": trigger} if in_tokens else {"trigger_messages": max(trigger // 20, 1)}
    whole, tail, value = paths(history, notes, {"policy": "summary_window", **unit}, step)
    assert whole.messages == tail.messages == value.messages
    shown, left = set(seqs(whole)), reasons(whole)
    for message in history:
        assert (message.seq in shown) != (message.seq in left)
        if message.seq <= covers:
            assert left[message.seq] == "summarised"
        elif message.seq in left:
            assert left[message.seq] == "not_yet_summarised"
    assert whole.evicted == tail.evicted == value.evicted == len(left)


def test_what_one_policy_keeps_is_not_all_that_there_is_for_another() -> None:
    history = turns(4)
    notes = Notes(NOTES, covers_up_to=4)
    kept = parse_policy({"policy": "summary_window"}).keep(history, earlier=Earlier(notes=notes), counting=TEN)
    assert [message.seq for message in kept.messages] == [5, 6, 7, 8]
    other = replace(kept.earlier, notes=Notes())
    assert parse_policy({"policy": "buffer"}).view(kept.messages, earlier=other).short
    assert not parse_policy({"policy": "summary_window"}).view(kept.messages, earlier=kept.earlier, counting=TEN).short


def test_tool_results_are_cleared_behind_a_summary_too() -> None:
    policy = parse_policy({"policy": "summary_window", "clear_tool_results": {"trigger_tokens": 1, "keep": 0}})
    assert policy.folding == Folding(4_000, 2_000)
    view = policy.view(turns(2), earlier=Earlier(notes=Notes(NOTES, covers_up_to=2)), counting=TEN)
    assert view.messages[0] is NOTES
    assert view.tokens["notes"] == 10


@given(st.lists(st.integers(1, 30), max_size=20), st.integers(0, 20))
def test_between_folds_a_prompt_begins_as_the_one_before(lengths: list[int], covers: int) -> None:
    """So that a provider's prompt cache finds it, as long as folds are not late."""
    policy = parse_policy({"policy": "summary_window", "trigger_tokens": 400})
    roles = ("user", "assistant")
    said = [Message(roles[place % 2], "x" * length) for place, length in enumerate([*lengths, 7, 7])]  # type: ignore[arg-type]
    history = numbered(said if len(said) % 2 == 0 else said[1:])
    earlier = Earlier(notes=Notes(NOTES, covers_up_to=min(covers, len(history) // 2 * 2)))
    counting = Counting(count=cost, overhead=3)
    prompts = [
        policy.view((*history[:end], Message("user", "next")), inputs=1, earlier=earlier, counting=counting).messages
        for end in (len(history) - 2, len(history))
    ]
    assert prompts[1][: len(prompts[0]) - 1] == prompts[0][:-1]
