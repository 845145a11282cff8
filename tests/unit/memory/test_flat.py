"""What is kept and read does not grow with the history."""

from __future__ import annotations

from typing import Any

import pytest

from chat_core.memory import Anchor, Earlier, parse_policy
from tests.unit.memory.histories import (
    assistant,
    flat,
    numbered,
    reasoning,
    result,
    user,
)
from tests.unit.memory.walked import COUNTING, Conversation, shown, talk


@pytest.mark.parametrize(
    "settings",
    [
        {"policy": "message_window"},
        {"policy": "message_window", "evict_step_messages": 6},
        {"policy": "message_window", "granularity": "message"},
        {"policy": "turn_window"},
        {"policy": "token_window", "max_tokens": 300},
        {"policy": "token_window", "max_tokens": 300, "evict_step_tokens": 100},
    ],
    ids=lambda settings: "-".join(str(value) for value in settings.values()),
)
def test_what_is_kept_and_read_does_not_grow_with_the_history(settings: dict[str, Any]) -> None:
    policy = parse_policy(settings)
    conversation = Conversation()
    sizes: dict[int, tuple[int, int]] = {}
    for turn, added in enumerate(talk(200)):
        view = conversation.view(policy, added[:1], hot=True)
        conversation.commit(added, policy, hot=True)
        if turn in (50, 199):
            hot_reads = conversation.reads
            conversation.view(policy, added[:1], reach=policy.reach)
            assert hot_reads == 0, "a hot turn reads nothing"
            sizes[turn] = len(conversation.value or b""), conversation.reads
            conversation.reads = 0
        assert not view.short
    assert sizes[199][0] <= 1.1 * sizes[50][0]
    assert sizes[199][1] <= 1.1 * sizes[50][1]


def test_a_long_tool_loop_is_as_flat_as_a_long_talk() -> None:
    policy = parse_policy({"policy": "message_window"})
    conversation = Conversation()
    sizes = []
    conversation.commit([user("go"), assistant(None, "c0")], policy, hot=True)
    for step in range(120):
        added = [result(f"c{step}")]
        view = conversation.view(policy, added, hot=True)
        assert view.messages[0].text == "go"
        assert view.retained <= 20
        conversation.commit([*added, assistant(None, f"c{step + 1}")], policy, hot=True)
        sizes.append(len(conversation.value or b""))
    conversation.commit([result("c120"), assistant()], policy, hot=True)
    assert conversation.view(policy, [user("next")], hot=True).retained == 1
    assert conversation.reads == 0
    assert sizes[-1] <= 1.1 * sizes[50]


def test_turns_that_reason_are_served_by_the_hot_value() -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": 10, "granularity": "message"})
    conversation = Conversation()
    for _ in range(20):
        turn = [user(), reasoning(), assistant(None, "c"), result("c"), reasoning(), assistant()]
        conversation.view(policy, turn[:1], hot=True)
        conversation.commit(turn, policy, hot=True)
    assert conversation.reads == 0


@pytest.mark.parametrize("step", [None, 70])
def test_a_talk_full_of_tool_results_is_served_by_the_hot_value(step: int | None) -> None:
    clearing = {"trigger_tokens": 1, "keep": 2}
    policy = parse_policy(
        {"policy": "token_window", "max_tokens": 400, "evict_step_tokens": step, "clear_tool_results": clearing}
    )
    conversation = Conversation()
    for number in range(30):
        conversation.commit([user(), assistant(None, f"c{number}")], policy, hot=True)
        answer = result(f"c{number}", "x" * (10 + 7 * (number % 5)))
        view = conversation.view(policy, [answer], hot=True)
        assert conversation.reads == 0
        assert shown(view) == shown(conversation.view(policy, [answer], reach=None))
        conversation.reads = 0
        conversation.commit([answer, assistant()], policy, hot=True)


def test_places_are_those_of_the_stored_messages_whatever_is_cleared() -> None:
    clearing = {"trigger_tokens": 1, "keep": 2}
    policy = parse_policy(
        {"policy": "token_window", "max_tokens": 150, "evict_step_tokens": 70, "clear_tool_results": clearing}
    )
    conversation = Conversation()
    for number in range(30):
        exchange = [assistant(None, f"c{number}"), result(f"c{number}", "x" * 37)] if number < 4 else []
        turn = [user(), *exchange, assistant()]
        view = conversation.view(policy, turn[:1], hot=True)
        whole = policy.view((*conversation.messages, turn[0]), inputs=1, counting=COUNTING)
        assert shown(view) == shown(whole)
        conversation.commit(turn, policy, hot=True)


def test_items_that_came_without_a_turn_are_counted_from_the_conversations_start() -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": 6, "evict_step_messages": 4})
    conversation = Conversation()
    conversation.messages = numbered(flat(talk(9)))
    added = [user("next")]
    view = conversation.view(policy, added, reach=policy.reach)
    assert shown(view) == shown(policy.view((*conversation.messages, *added), counting=COUNTING, inputs=1))
    assert view.messages[0].seq == 17


def test_the_window_holds_no_more_than_the_next_view_may_need() -> None:
    policy = parse_policy({"policy": "message_window"})
    history = numbered(flat(talk(100)))
    assert len(policy.keep(history).messages) == 18
    by_message = parse_policy({"policy": "message_window", "granularity": "message"})
    assert len(by_message.keep(history).messages) == 19


def test_without_an_anchor_a_view_is_cut_exactly_and_the_commit_sets_one() -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": 6, "evict_step_messages": 4})
    history = numbered(flat(talk(7)))
    unset = Earlier(whole=False, count=0, anchor=None)
    assert policy.view(history[2:], earlier=unset).retained == 6
    kept = policy.keep(history[2:], earlier=unset)
    assert kept.anchor == Anchor(kept.messages[0].seq, 0)
