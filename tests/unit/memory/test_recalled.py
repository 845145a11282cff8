"""What the input brings up stands before it, counts, and changes nothing that stands before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chat_core.memory import Counting, Earlier, Notes, parse_policy
from chat_core.messages import Message, ToolCall

SYSTEM = Message("system", "Be brief.", id="s", seq=1)
TALK = (
    SYSTEM,
    Message("user", "one", id="u1", seq=2),
    Message("assistant", "uno", id="a1", seq=3),
    Message("user", "two", id="u2", seq=4),
    Message("assistant", "due", id="a2", seq=5),
)
INPUT = Message("user", "three")
RECALLED = Message("user", "<recalled>")
NOTES = Notes(Message("user", "<notes>"))
POLICIES: list[dict[str, Any]] = [
    {"policy": "buffer"},
    {"policy": "message_window", "max_messages": 4},
    {"policy": "turn_window", "max_turns": 2},
    {"policy": "token_window", "max_tokens": 70},
    {"policy": "token_window", "max_tokens": 70, "clear_tool_results": {"trigger_tokens": 1}},
    {"policy": "summary"},
    {"policy": "summary_window", "max_tokens": 70},
]
TEN_EACH = Counting(count=lambda _: 10, overhead=3)


def ids(messages: tuple[Message, ...]) -> list[str]:
    return [message.id or message.text for message in messages]


@pytest.mark.parametrize("settings", POLICIES, ids=lambda settings: "-".join(map(str, settings)))
def test_it_stands_before_the_input_and_what_is_before_it_stays(settings: dict[str, Any]) -> None:
    policy = parse_policy(settings)

    def view(recalled: Message | None) -> Any:
        earlier = Earlier(notes=NOTES, recalled=recalled)
        return policy.view((*TALK, INPUT), inputs=1, earlier=earlier, counting=TEN_EACH)

    with_it, other, without = view(RECALLED), view(Message("user", "<other>")), view(None)
    assert ids(with_it.messages)[-2:] == ["<recalled>", "three"]
    assert ids(with_it.messages)[:2] == ["s", "<notes>"]
    assert with_it.messages[:-2] == other.messages[:-2]
    assert with_it.recalled is RECALLED
    assert with_it.tokens["recalled"] == 10
    assert "recalled" not in without.tokens
    assert with_it.tokens["total"] == sum(size for part, size in with_it.tokens.items() if part != "total") + 3
    assert with_it.retained == len(with_it.messages)
    if settings["policy"] == "token_window":
        # It takes its room from the window.
        assert ids(with_it.messages) == ["s", "<notes>", "u2", "a2", "<recalled>", "three"]
        assert with_it.tokens["total"] <= 70
    else:
        assert [one for one in with_it.messages if one is not RECALLED] == list(without.messages)
        assert with_it.evicted == without.evicted


def test_it_never_comes_between_a_call_and_its_result() -> None:
    call = Message("assistant", None, tool_calls=(ToolCall("c1", "look_up", "{}"),), seq=6)
    asked = replace(TALK[3], seq=5)
    result = Message("tool", "found", tool_call_id="c1")
    policy = parse_policy({"policy": "message_window"})
    view = policy.view((*TALK[:3], asked, call, result), inputs=1, earlier=Earlier(recalled=RECALLED))
    assert [message.role for message in view.messages[-4:]] == ["user", "user", "assistant", "tool"]
    assert view.messages[-3] is RECALLED


def test_it_stands_before_all_of_the_input_even_where_that_is_mended() -> None:
    policy = parse_policy({"policy": "message_window"})
    empty = Message("user", ())
    view = policy.view((*TALK, empty, INPUT), inputs=2, earlier=Earlier(recalled=RECALLED))
    assert view.messages[-3] is RECALLED
    first = policy.view((INPUT,), inputs=1, earlier=Earlier(recalled=RECALLED))
    assert ids(first.messages) == ["<recalled>", "three"]


@pytest.mark.parametrize("settings", POLICIES, ids=lambda settings: "-".join(map(str, settings)))
def test_it_is_not_kept(settings: dict[str, Any]) -> None:
    kept = parse_policy(settings).keep(TALK, earlier=Earlier(recalled=RECALLED), counting=TEN_EACH)
    assert kept.earlier.recalled is None
