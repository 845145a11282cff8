"""The view does not depend on what computed it: the whole history, the hot value or a rebuild of the tail."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat_core.memory import parse_policy
from chat_core.messages import Message
from tests.unit.memory.histories import (
    assistant,
    clean_turns,
    flat,
    messy_messages,
    other,
    reasoning,
    result,
    system,
    user,
)
from tests.unit.memory.test_windows import GRANULARITIES
from tests.unit.memory.walked import COUNTING, Conversation, shown, talk

OPTIONAL_STEP = st.none() | st.integers(1, 7)
CLEARING = st.none() | st.builds(
    lambda trigger, keep: {"trigger_tokens": trigger, "keep": keep}, st.integers(1, 150), st.integers(0, 3)
)

SETTINGS = st.one_of(
    st.builds(
        lambda most, granularity, step, clearing: {
            "policy": "message_window",
            "max_messages": most,
            "granularity": granularity,
            "evict_step_messages": step and min(step, most),
            "clear_tool_results": clearing,
        },
        st.integers(1, 14),
        GRANULARITIES,
        OPTIONAL_STEP,
        CLEARING,
    ),
    st.builds(
        lambda most, granularity, step, clearing: {
            "policy": "token_window",
            "max_tokens": most,
            "granularity": granularity,
            "evict_step_tokens": step and min(step * 9, most),
            "clear_tool_results": clearing,
        },
        st.integers(1, 200),
        GRANULARITIES,
        OPTIONAL_STEP,
        CLEARING,
    ),
    st.builds(lambda most: {"policy": "turn_window", "max_turns": most}, st.integers(1, 4)),
)

commits = st.lists(st.one_of(clean_turns(), st.lists(messy_messages, min_size=1, max_size=6)), min_size=1, max_size=10)
"""What is committed at once, in order."""


SYSTEM_PARTS = (
    {"type": "input_text", "text": "A"},
    {"type": "input_text", "text": ""},
    {"type": "input_image", "image_url": "data:,1"},
    {"type": "input_image", "image_url": "data:,2"},
)
spoken = st.one_of(
    st.builds(user),
    st.builds(assistant),
    st.builds(system, st.sampled_from(("A", "B", ""))),
    st.builds(lambda *parts: Message("system", parts), st.sampled_from(SYSTEM_PARTS)),
)


@given(commits, SETTINGS, st.lists(messy_messages, max_size=3), st.lists(st.booleans(), min_size=10, max_size=10))
def test_hot_value_and_rebuild_give_the_view_of_the_whole_history(
    turns: list[list[Message]], settings: dict[str, Any], added: list[Message], hot: list[bool]
) -> None:
    policy = parse_policy(settings)
    conversation = Conversation()
    for turn, warm in zip(turns, hot, strict=False):
        whole = conversation.view(policy, turn, reach=None)
        assert shown(conversation.view(policy, turn, hot=True)) == shown(whole)
        assert shown(conversation.view(policy, turn)) == shown(whole)
        conversation.commit(turn, policy, hot=warm)
    whole = conversation.view(policy, added, reach=None)
    assert shown(conversation.view(policy, added, hot=True)) == shown(whole)
    assert shown(conversation.view(policy, added)) == shown(whole)
    assert shown(policy.view((*conversation.messages, *added), inputs=len(added), counting=COUNTING)) == shown(whole)


@st.composite
def late_results(draw: st.DrawFn) -> list[list[Message]]:
    """Commits of which one leaves calls unanswered, and some later ones hold the results, among other things."""
    turns = draw(commits)
    calls = [assistant(draw(st.sampled_from((None, "", "so"))), *ids) for ids in (("d1",), ("d2", "d3"))]
    around = st.sampled_from(("reasoning", "other", "answer"))
    beside = {"reasoning": reasoning(), "other": other(), "answer": assistant()}
    for call in calls:
        turn = draw(st.sampled_from(turns))
        turn[draw(st.integers(0, len(turn))) : 0] = [
            call,
            *(beside[draw(around)] for _ in range(draw(st.integers(0, 2)))),
        ]
    for name in ("d1", "d2", "d3"):
        turns.insert(
            draw(st.integers(len(turns) // 2, len(turns))),
            [*draw(st.lists(messy_messages, max_size=2)), result(name), *draw(st.lists(messy_messages, max_size=2))],
        )
    return turns


UNANSWERED = [
    *(user(), assistant(None, "a"), assistant("so", "d1", "d2"), result("a")),
    *(assistant(None, "b"), result("b"), assistant("well")),
]


@example([UNANSWERED, [result("d1")], [result("d2")]], {"policy": "message_window", "max_messages": 1}, [True] * 3)
@given(late_results(), SETTINGS, st.lists(st.booleans(), min_size=16, max_size=16))
def test_a_result_that_comes_long_after_its_call_gives_one_view(
    turns: list[list[Message]], settings: dict[str, Any], hot: list[bool]
) -> None:
    policy = parse_policy(settings)
    conversation = Conversation()
    for turn, warm in zip(turns, hot, strict=False):
        whole = conversation.view(policy, turn, reach=None)
        assert shown(conversation.view(policy, turn, hot=True)) == shown(whole)
        assert shown(conversation.view(policy, turn)) == shown(whole)
        conversation.commit(turn, policy, hot=warm)


@given(st.lists(st.lists(spoken, min_size=1, max_size=3), min_size=2, max_size=6), st.integers(1, 6), st.booleans())
def test_whatever_a_system_message_holds_every_path_shows_the_one_that_is_pinned(
    turns: list[list[Message]], most: int, hot: bool
) -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": most})
    conversation = Conversation()
    for turn in turns:
        whole = conversation.view(policy, turn, reach=None)
        assert shown(conversation.view(policy, turn, hot=True)) == shown(whole)
        assert shown(conversation.view(policy, turn)) == shown(whole)
        conversation.commit(turn, policy, hot=hot)


@given(commits, SETTINGS, st.lists(messy_messages, max_size=3))
def test_messages_that_came_one_by_one_and_at_once_give_one_view(
    turns: list[list[Message]], settings: dict[str, Any], added: list[Message]
) -> None:
    policy = parse_policy(settings)
    one_by_one, at_once = Conversation(), Conversation()
    for message in flat(turns):
        one_by_one.commit([message], policy, hot=True)
    at_once.commit(flat(turns), policy, hot=True)
    views = [
        conversation.view(policy, added, hot=hot) for conversation in (one_by_one, at_once) for hot in (True, False)
    ]
    assert [shown(view) for view in views] == [shown(views[0])] * 4


@given(commits, SETTINGS, SETTINGS)
def test_an_override_has_one_view_and_leaves_no_trace(
    turns: list[list[Message]], settings: dict[str, Any], override: dict[str, Any]
) -> None:
    policy, other = parse_policy(settings), parse_policy(override)
    plain, overridden = Conversation(), Conversation()
    for turn in turns:
        assert shown(overridden.view(other, turn, hot=True)) == shown(overridden.view(other, turn))
        plain.commit(turn, policy, hot=True)
        overridden.commit(turn, policy, hot=True)
    assert (plain.value, plain.anchor) == (overridden.value, overridden.anchor)


@pytest.mark.parametrize("placeholder", ["x", "a placeholder that takes more than the result"])
@pytest.mark.parametrize(("stored", "override"), [("clearing", "plain"), ("plain", "clearing"), ("other", "clearing")])
def test_sizes_with_a_placeholder_are_not_taken_for_others(placeholder: str, stored: str, override: str) -> None:
    clearing = {"clear_tool_results": {"trigger_tokens": 1, "keep": 0, "placeholder": placeholder}}
    window = {"policy": "token_window", "on_overflow": "keep"}
    others = {"clear_tool_results": {"trigger_tokens": 1, "keep": 0}}
    added: dict[str, Any] = {"plain": {}, "clearing": clearing, "other": others}
    policy = parse_policy({**window, "max_tokens": 40, **added[stored]})
    tools = [user("hi"), assistant(None, "a", "b", "c"), result("a"), result("b"), result("c"), assistant("hi")]
    for most in range(30, 250, 6):
        other = parse_policy({**window, "max_tokens": most, **added[override]})
        conversation = Conversation()
        for turn in [tools, *talk(8)]:
            assert shown(conversation.view(other, turn, hot=True)) == shown(conversation.view(other, turn, reach=None))
            conversation.commit(turn, policy, hot=True)


@given(commits, SETTINGS, SETTINGS)
def test_a_changed_policy_works_at_once_on_every_path(
    turns: list[list[Message]], settings: dict[str, Any], changed: dict[str, Any]
) -> None:
    before, after = parse_policy(settings), parse_policy(changed)
    conversation = Conversation()
    for turn in turns[: len(turns) // 2]:
        conversation.commit(turn, before, hot=True)
    conversation.anchor = None  # as the settings' change leaves the head
    for turn in turns[len(turns) // 2 :]:
        whole = conversation.view(after, turn, reach=None)
        assert shown(conversation.view(after, turn, hot=True)) == shown(whole)
        assert shown(conversation.view(after, turn)) == shown(whole)
        conversation.commit(turn, after, hot=True)
