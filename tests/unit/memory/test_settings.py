"""The request object ``memory``: what is taken, what is refused, and what a caller is told."""

from __future__ import annotations

from typing import Any

import pytest

from chat_core.errors import InvalidRequest
from chat_core.memory import merge_settings, parse_policy, parse_turn_settings
from chat_core.memory.registry import POLICIES

DEFAULT = {"policy": "message_window"}


def test_defaults_are_those_of_the_design() -> None:
    assert parse_policy(DEFAULT) == parse_policy(
        {
            "policy": "message_window",
            "max_messages": 20,
            "granularity": "turn",
            "on_overflow": "keep",
            "evict_step_messages": None,
            "system_counts": True,
        }
    )
    tokens: Any = parse_policy({"policy": "token_window", "max_tokens": 5})
    assert (tokens.on_overflow, tokens.granularity) == ("error", "turn")


@pytest.mark.parametrize("name", list(POLICIES))
def test_each_policy_has_its_name(name: str) -> None:
    required = {"max_tokens": 100} if name == "token_window" else {}
    assert parse_policy({"policy": name, **required}).name == name


@pytest.mark.parametrize("value", [0, -1, 10_001, 1.5, 20.0, "20", True, [], {}])
def test_a_limit_is_an_integer_in_its_range(value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_policy({**DEFAULT, "max_messages": value})
    assert refused.value.param == "memory.max_messages"
    assert "from 1 to 10000" in refused.value.message


@pytest.mark.parametrize(
    ("settings", "param", "told"),
    [
        ({}, "memory.policy", "`turn_window`"),
        ({"policy": "summary of all"}, "memory.policy", "`message_window`"),
        ({"policy": ["buffer"]}, "memory.policy", "`buffer`"),
        ({"policy": "buffer", "max_messages": 3}, "memory.max_messages", "`clear_tool_results`"),
        ({**DEFAULT, "max_turns": 3}, "memory.max_turns", "`max_messages`"),
        ({**DEFAULT, "granularity": "word"}, "memory.granularity", "`turn`, `message`"),
        ({**DEFAULT, "granularity": 3}, "memory.granularity", "`turn`, `message`"),
        ({**DEFAULT, "system_counts": False}, "memory.system_counts", "only be true"),
        ({**DEFAULT, "max_messages": 5, "evict_step_messages": 6}, "memory.evict_step_messages", "from 1 to 5"),
        ({**DEFAULT, "read_only": True}, "memory.read_only", "belongs to a turn"),
        ({"policy": "turn_window", "max_turns": 0}, "memory.max_turns", "from 1 to 10000"),
        ({"policy": "summary", "trigger_tokens": 0}, "memory.trigger_tokens", "from 1 to 2000000"),
        ({"policy": "summary", "trigger_tokens": -5}, "memory.trigger_tokens", "from 1 to 2000000"),
        ({"policy": "summary", "trigger_messages": 0}, "memory.trigger_messages", "from 1 to 10000"),
        (
            {"policy": "summary", "trigger_tokens": 9, "trigger_messages": 9},
            "memory.trigger_messages",
            "one or the other",
        ),
        ({"policy": "summary_window", "trigger_tokens": 100, "keep": 100}, "memory.keep", "from 0 to 99"),
        ({"policy": "summary_window", "trigger_messages": 6, "keep": 7}, "memory.keep", "below `trigger_messages`"),
        ({"policy": "summary_window", "keep": 4_000}, "memory.keep", "from 0 to 3999"),
        ({"policy": "summary_window", "keep": -1}, "memory.keep", "from 0"),
        ({"policy": "summary", "max_tokens": 100}, "memory.max_tokens", "is unknown"),
        ({"policy": "summary", "max_summary_tokens": 15}, "memory.max_summary_tokens", "from 16"),
        ({"policy": "token_window"}, "memory.max_tokens", "`context_window`"),
        ({"policy": "token_window", "max_tokens": 2_000_001}, "memory.max_tokens", "from 1 to 2000000"),
        ({"policy": "token_window", "max_tokens": 9, "context_window": 9}, "memory.context_window", "`max_tokens`"),
        (
            {"policy": "token_window", "context_window": 9, "reserve_output_tokens": 9},
            "memory.reserve_output_tokens",
            "at most 8",
        ),
        (
            {"policy": "token_window", "max_tokens": 9, "evict_step_tokens": 10},
            "memory.evict_step_tokens",
            "from 1 to 9",
        ),
        ({"policy": "clear_tool_results", "keep": -1}, "memory.keep", "from 0"),
        ({"policy": "clear_tool_results", "clear_tool_results": {}}, "memory.clear_tool_results", "unknown"),
        ({"policy": "clear_tool_results", "placeholder": ""}, "memory.placeholder", "1 to 1000"),
        ({"policy": "clear_tool_results", "exclude_tools": "a"}, "memory.exclude_tools", "list"),
        ({"policy": "clear_tool_results", "exclude_tools": [1]}, "memory.exclude_tools", "list"),
        ({**DEFAULT, "clear_tool_results": 1}, "memory.clear_tool_results", "object"),
        ({**DEFAULT, "clear_tool_results": {"kep": 1}}, "memory.clear_tool_results.kep", "`keep`"),
        ({**DEFAULT, "clear_tool_results": {"keep": "1"}}, "memory.clear_tool_results.keep", "integer"),
        ([], "memory", "object"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(settings: Any, param: str, told: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_policy(settings)
    assert refused.value.param == param
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("settings", "field", "lowest"),
    [
        ({"max_tokens": 49}, "max_tokens", 50),
        ({"max_tokens": 8_193}, "max_tokens", 50),
        ({"context_window": 159, "reserve_output_tokens": 100, "tool_schema_tokens": 10}, "context_window", 160),
        ({"max_tokens": 8_193, "on_overflow": "keep"}, "max_tokens", 1),
        ({"max_tokens": 8_193, "clear_tool_results": {}}, "max_tokens", 50),
    ],
)
def test_a_budget_has_room_for_the_system_message_and_is_no_larger_than_the_model(
    settings: dict[str, Any], field: str, lowest: int
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_policy({"policy": "token_window", **settings}).check_budget(least=50, most=8_192)
    assert refused.value.param == f"memory.{field}"
    assert f"from {lowest} to 8192" in refused.value.message


@pytest.mark.parametrize(
    "settings",
    [
        {"policy": "token_window", "max_tokens": 50},
        {"policy": "token_window", "max_tokens": 8_192},
        {"policy": "token_window", "max_tokens": 1, "on_overflow": "keep"},
        {"policy": "token_window", "context_window": 160, "reserve_output_tokens": 110},
        {"policy": "message_window"},
        {"policy": "clear_tool_results"},
    ],
)
def test_a_budget_in_its_range_is_taken(settings: dict[str, Any]) -> None:
    parse_policy(settings).check_budget(least=50, most=8_192)
    parse_policy(settings).check_budget(least=50, most=None)


def test_a_change_is_merged_field_by_field() -> None:
    stored = {"policy": "message_window", "max_messages": 6, "clear_tool_results": {"keep": 1, "trigger_tokens": 5}}
    assert merge_settings(stored, {"granularity": "message"}) == {**stored, "granularity": "message"}
    assert merge_settings(stored, {"policy": "message_window", "max_messages": 7})["max_messages"] == 7
    assert merge_settings(stored, {"clear_tool_results": {"keep": 2}})["clear_tool_results"] == {
        "keep": 2,
        "trigger_tokens": 5,
    }
    assert stored["max_messages"] == 6


def test_another_policy_drops_the_fields_of_the_old_one() -> None:
    stored = {"policy": "message_window", "max_messages": 6, "granularity": "message"}
    assert merge_settings(stored, {"policy": "turn_window", "max_turns": 2}) == {
        "policy": "turn_window",
        "max_turns": 2,
    }


def test_null_takes_a_field_away() -> None:
    stored = {"policy": "token_window", "max_tokens": 6}
    change = {"max_tokens": None, "context_window": 9}
    assert merge_settings(stored, change) == {"policy": "token_window", "context_window": 9}
    assert merge_settings({}, {"policy": None}) == {}
    assert merge_settings(stored, {"policy": None}) == {"max_tokens": 6}


def test_a_turn_overrides_for_itself() -> None:
    turn = parse_turn_settings({**DEFAULT, "max_messages": 6}, {"max_messages": 3, "read_only": True})
    assert turn.policy == parse_policy({**DEFAULT, "max_messages": 3})
    assert turn.stored == parse_policy({**DEFAULT, "max_messages": 6})
    assert (turn.read_only, turn.dry_run) == (True, False)


@pytest.mark.parametrize("override", [None, {}, {"dry_run": False}, {"read_only": None}])
def test_a_turn_without_an_override_has_the_stored_policy(override: Any) -> None:
    turn = parse_turn_settings(DEFAULT, override)
    assert turn.policy is turn.stored
    assert (turn.read_only, turn.dry_run) == (False, False)


@pytest.mark.parametrize("override", [{"dry_run": 1}, {"read_only": "yes"}, {"max_messages": 0}, "buffer"])
def test_a_turns_bad_override_is_refused(override: Any) -> None:
    with pytest.raises(InvalidRequest):
        parse_turn_settings(DEFAULT, override)
