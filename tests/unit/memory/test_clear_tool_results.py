"""Old tool results give way to a placeholder, before whole turns go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.memory import Counting, View, parse_policy
from chat_core.messages.items import upstream_items
from chat_core.messages.message import Message
from tests.chat_messages import from_chat
from tests.unit.memory.histories import (
    assistant,
    broken_rules_of_openai,
    messy_histories,
    numbered,
    result,
    user,
)
from tests.unit.memory.test_windows import COUNTING, tokens

PLACEHOLDER = "[cleared]"


def exchange(call: str, text: str = "x" * 80, name: str = "tool") -> list[Message]:
    called = assistant(None, call)
    (one,) = called.tool_calls
    return [Message("assistant", tool_calls=(type(one)(one.id, name, "{}"),)), result(call, text)]


def outputs(view: View) -> list[Any]:
    return [item["output"] for item in upstream_items(view.messages) if item["type"] == "function_call_output"]


def clear(messages: list[Message], **settings: Any) -> View:
    return parse_policy({"policy": "clear_tool_results", **settings}).view(numbered(messages), counting=COUNTING)


TALK = [user(), *exchange("c1"), *exchange("c2"), *exchange("c3"), assistant()]


def test_the_newest_results_stay() -> None:
    view = clear(TALK, trigger_tokens=100, keep=1)
    assert outputs(view) == [PLACEHOLDER, PLACEHOLDER, "x" * 80]
    assert view.cleared == ("m3", "m5")
    assert [(left.message.id, left.reason) for left in view.left_out] == [("m3", "cleared"), ("m5", "cleared")]
    assert view.retained == len(TALK)
    assert view.tokens["total"] == 3 + sum(map(tokens, view.messages))


def test_the_trigger_is_exclusive() -> None:
    total = 3 + sum(map(tokens, TALK))
    assert clear(TALK, trigger_tokens=total, keep=0).cleared == ()
    assert clear(TALK, trigger_tokens=total - 1, keep=0).cleared == ("m3", "m5", "m7")


def test_excluded_tools_are_never_cleared() -> None:
    messages = [user(), *exchange("c1", name="vault"), *exchange("c2"), assistant()]
    assert clear(messages, trigger_tokens=1, keep=0, exclude_tools=["vault"]).cleared == ("m5",)


def test_no_more_is_cleared_than_asked_oldest_first() -> None:
    assert clear(TALK, trigger_tokens=1, keep=0, clear_at_least=10).cleared == ("m3",)
    assert clear(TALK, trigger_tokens=1, keep=0, clear_at_least=100).cleared == ("m3", "m5")


def test_a_screenshot_has_no_placeholder() -> None:
    screenshot = Message(
        "tool", tool_call_id="c1", fields={"type": "computer_call_output", "call_id": "c1", "output": {"type": "x"}}
    )
    assert clear([user(), exchange("c1")[0], screenshot], trigger_tokens=1, keep=0).cleared == ()


def test_chat_messages_are_cleared_too() -> None:
    messages = from_chat(
        [
            {"id": "u", "role": "user", "content": "q"},
            {
                "id": "a",
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "name": "n", "arguments": "{}"}],
            },
            {"id": "t", "role": "tool", "tool_call_id": "c", "content": "long" * 9},
        ]
    )
    policy = parse_policy({"policy": "clear_tool_results", "trigger_tokens": 1, "keep": 0, "placeholder": "gone"})
    view = policy.view(messages, counting=Counting(count=lambda message: {"": 2}.get(message.id, 5)))
    assert [message.content for message in view.messages] == ["q", None, "gone"]
    assert view.tokens["total"] == 12
    assert messages[2].content == "long" * 9


def test_results_are_cleared_before_a_token_window_drops_turns() -> None:
    messages = numbered([*TALK, user(), assistant()])
    window = {"policy": "token_window", "max_tokens": 200}
    plain = parse_policy(window).view(messages, counting=COUNTING)
    added = {"trigger_tokens": 2_000_000, "keep": 0}
    cleared = parse_policy({**window, "clear_tool_results": added}).view(messages, counting=COUNTING)
    assert plain.retained == 2
    assert cleared.retained == len(messages)
    assert cleared.tokens["total"] <= 200
    least = parse_policy({**window, "clear_tool_results": {**added, "clear_at_least": 1}})
    assert least.view(messages, counting=COUNTING).cleared == ("m3", "m5")


def test_a_message_window_is_cleared_within() -> None:
    settings = {"policy": "message_window", "max_messages": 20, "clear_tool_results": {"trigger_tokens": 10, "keep": 2}}
    policy = parse_policy(settings)
    assert policy.name == "message_window"
    view = policy.view(numbered(TALK), counting=COUNTING)
    assert outputs(view) == [PLACEHOLDER, "x" * 80, "x" * 80]


def test_nothing_is_counted_below_the_trigger_where_the_bounds_say_so() -> None:
    def never(_: Message) -> int:
        message = "a message was counted"
        raise AssertionError(message)

    policy = parse_policy({"policy": "token_window", "max_tokens": 900, "clear_tool_results": {"trigger_tokens": 900}})
    counting = Counting(count=never, at_most=lambda _: 10)
    assert policy.view(TALK, counting=counting).retained == len(TALK)
    with pytest.raises(ValueError, match="counter"):
        parse_policy({"policy": "clear_tool_results"}).view(TALK)


@given(messy_histories, st.integers(1, 200), st.integers(0, 3), st.integers(0, 60))
def test_clearing_keeps_the_order_valid_and_the_pairs_whole(
    messages: tuple[Message, ...], trigger: int, keep: int, least: int
) -> None:
    settings = {"policy": "clear_tool_results", "trigger_tokens": trigger, "keep": keep, "clear_at_least": least}
    view = parse_policy(settings).view(messages, counting=COUNTING)
    whole = parse_policy({"policy": "buffer"}).view(messages)
    assert broken_rules_of_openai(upstream_items(view.messages)) == []
    assert [(m.id, m.role) for m in view.messages] == [(m.id, m.role) for m in whole.messages]
    results = [message.id for message in view.messages if message.role == "tool"]
    assert set(view.cleared) <= set(results[: max(len(results) - keep, 0)])
