"""What may stand beside any policy."""

from __future__ import annotations

from typing import Any

import pytest

from chat_core.errors import InvalidRequest
from chat_core.memory import (
    NO_ADD_ONS,
    AddOns,
    FactSettings,
    RecallSettings,
    merge_settings,
    parse_add_ons,
    parse_policy,
    parse_turn_settings,
)
from chat_core.memory.registry import POLICIES

DEFAULT = {"policy": "message_window"}


@pytest.mark.parametrize("policy", list(POLICIES))
def test_an_add_on_stands_beside_any_policy(policy: str) -> None:
    settings = {"policy": policy, **({"max_tokens": 9} if policy == "token_window" else {})}
    beside = {"entities": True, "knowledge_graph": {"depth": 2}, "recall": {"k": 2, "min_score": 0}}
    assert parse_policy({**settings, **beside}) == parse_policy(settings)
    assert parse_add_ons({**settings, **beside}) == AddOns(
        FactSettings(), FactSettings(depth=2), RecallSettings(k=2, min_score=0.0)
    )


@pytest.mark.parametrize("off", [None, False])
@pytest.mark.parametrize("name", ["entities", "knowledge_graph", "recall", "clear_tool_results"])
def test_null_and_false_are_none(name: str, off: Any) -> None:
    assert parse_add_ons({**DEFAULT, name: off}) == NO_ADD_ONS
    assert parse_policy({**DEFAULT, name: off}) == parse_policy(DEFAULT)


@pytest.mark.parametrize(
    ("name", "given", "param", "told"),
    [
        ("recall", 4, "memory.recall", "an object, true or false"),
        ("recall", [], "memory.recall", "an object, true or false"),
        ("entities", "yes", "memory.entities", "an object, true or false"),
        ("recall", {"kk": 4}, "memory.recall.kk", "`min_score`"),
        ("recall", {"k": 0}, "memory.recall.k", "from 1 to 32"),
        ("recall", {"k": True}, "memory.recall.k", "integer"),
        ("recall", {"min_score": 1.01}, "memory.recall.min_score", "a number from 0 to 1"),
        ("recall", {"min_score": "0.5"}, "memory.recall.min_score", "a number from 0 to 1"),
        ("recall", {"min_score": float("nan")}, "memory.recall.min_score", "a number from 0 to 1"),
        ("recall", {"min_score": False}, "memory.recall.min_score", "a number from 0 to 1"),
        ("recall", {"relative": -1}, "memory.recall.relative", "a number from 0 to 1"),
        ("recall", {"max_tokens": 0}, "memory.recall.max_tokens", "from 1"),
        ("recall", {"neighbours": 9}, "memory.recall.neighbours", "from 0 to 8"),
        ("recall", {"scope": "all"}, "memory.recall.scope", "`conversation`, `user`"),
        ("recall", {"expires_after": 0}, "memory.recall.expires_after", "from 1"),
        ("recall", {"refresh_after": 1.5}, "memory.recall.refresh_after", "integer"),
        ("knowledge_graph", {"depth": 3}, "memory.knowledge_graph.depth", "from 0 to 2"),
        ("entities", {"include_assistant": 1}, "memory.entities.include_assistant", "true or false"),
        ("entities", {"k": 1}, "memory.entities.k", "`include_assistant`"),
    ],
)
def test_what_is_wrong_is_refused_by_name(name: str, given: Any, param: str, told: str) -> None:
    for read in (parse_add_ons, parse_policy, lambda settings: parse_turn_settings(DEFAULT, settings)):
        with pytest.raises(InvalidRequest) as refused:
            read({**DEFAULT, name: given})
        assert refused.value.param == param
        assert told in refused.value.message


def test_another_policy_keeps_the_add_ons() -> None:
    stored = {**DEFAULT, "max_messages": 4, "recall": {"k": 2}, "entities": True, "clear_tool_results": {"keep": 1}}
    kept = {name: stored[name] for name in ("recall", "entities", "clear_tool_results")}
    assert merge_settings(stored, {"policy": "buffer"}) == {"policy": "buffer", **kept}
    # What becomes the policy itself is no add-on any more.
    alone = merge_settings(stored, {"policy": "clear_tool_results"})
    assert alone == {"policy": "clear_tool_results", "recall": {"k": 2}, "entities": True}
    assert parse_policy(alone).name == "clear_tool_results"


def test_false_takes_away_what_the_default_has_and_null_what_is_stored() -> None:
    default = {**DEFAULT, "recall": {"k": 2}}
    off = merge_settings({"recall": {"k": 3}}, {"recall": False})
    assert parse_add_ons(merge_settings(default, off)) == NO_ADD_ONS
    back = merge_settings({"recall": {"k": 3}}, {"recall": None})
    assert parse_add_ons(merge_settings(default, back)).recall == RecallSettings(k=2)
    assert parse_add_ons(merge_settings(default, {"recall": True})).recall == RecallSettings()
    assert parse_add_ons(merge_settings({"recall": False}, {"recall": {"k": 1}})).recall == RecallSettings(k=1)


def test_a_turns_own_add_ons_are_told_from_the_stored_ones() -> None:
    turn = parse_turn_settings({**DEFAULT, "recall": {"k": 2}}, {"recall": {"neighbours": 1}, "read_only": True})
    assert turn.add_ons.recall == RecallSettings(k=2, neighbours=1)
    assert turn.stored_add_ons.recall == RecallSettings(k=2)
    assert turn.policy == turn.stored
    assert turn.read_only
    assert parse_turn_settings({**DEFAULT, "recall": True}, {"recall": False}).add_ons == NO_ADD_ONS
