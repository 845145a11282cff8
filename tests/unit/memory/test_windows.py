"""The windows: rules R3 to R6, against a model that evicts by hand, and their settings' effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.errors import ContextBudgetExceeded
from chat_core.memory import Counting, MemoryPolicy, View, parse_policy
from chat_core.memory.units import units_backwards
from chat_core.messages.items import upstream_items
from tests.unit.memory.histories import (
    assistant,
    broken_rules_of_anthropic,
    broken_rules_of_openai,
    clean_histories,
    flat,
    kept_by_hand,
    messy_histories,
    numbered,
    reasoning,
    result,
    system,
    user,
)

if TYPE_CHECKING:
    from chat_core.messages.message import Message

GRANULARITIES = st.sampled_from(["turn", "message"])


def tokens(message: Message) -> int:
    """Count without a vocabulary: any count will do for a policy."""
    output = message.fields.get("output", "")
    return 4 + len(message.text) + len(str(output)) + 2 * len(message.tool_calls)


COUNTING = Counting(count=tokens, overhead=3)

POLICIES = st.one_of(
    st.builds(
        lambda most, granularity: {"policy": "message_window", "max_messages": most, "granularity": granularity},
        st.integers(1, 30),
        GRANULARITIES,
    ),
    st.builds(
        lambda most, granularity: {"policy": "token_window", "max_tokens": most, "granularity": granularity},
        st.integers(1, 300),
        GRANULARITIES,
    ),
    st.builds(lambda most: {"policy": "turn_window", "max_turns": most}, st.integers(1, 5)),
    st.just({"policy": "buffer"}),
)


def retained(view: View) -> list[Message]:
    return [message for message in view.messages if message.role != "system"]


def size_of(policy: MemoryPolicy, view: View) -> tuple[int, int]:
    """What a view takes, and its limit, in the policy's unit."""
    settings: Any = policy
    if policy.name == "message_window":
        return len(view.messages), settings.max_messages
    if policy.name == "token_window":
        return 3 + sum(map(tokens, view.messages)), settings.max_tokens
    if policy.name == "turn_window":
        return sum(message.role == "user" for message in view.messages), settings.max_turns
    return 0, 0


@given(messy_histories, POLICIES)
def test_a_view_fits_or_says_so_and_holds_the_newest(messages: tuple[Message, ...], settings: dict[str, Any]) -> None:
    policy = parse_policy(settings)
    before = repr(messages)
    view = policy.view(messages, counting=COUNTING)
    size, most = size_of(policy, view)
    assert view.over_budget == (size > most)
    assert not view.short
    assert (view.refusal is not None) == (view.over_budget and policy.name == "token_window")
    assert view.retained == len(view.messages)
    assert view.evicted == len(messages) - view.retained
    units = list(units_backwards(messages))
    kept = {message.seq or message.id for message in view.messages}
    newest = [message for unit in units[:1] for message in unit.messages]
    question = [message for unit in units if unit.user for message in unit.messages][:1]
    assert {message.seq or message.id for message in [*newest, *question]} <= kept
    assert repr(messages) == before


@given(messy_histories, POLICIES)
def test_a_view_obeys_the_providers_order(messages: tuple[Message, ...], settings: dict[str, Any]) -> None:
    view = parse_policy(settings).view(messages, counting=COUNTING)
    assert broken_rules_of_openai(upstream_items(view.messages)) == []


@given(clean_histories, POLICIES.filter(lambda settings: settings.get("granularity") != "message"))
def test_by_turns_a_view_obeys_anthropics_order_too(turns: list[list[Message]], settings: dict[str, Any]) -> None:
    messages = numbered(flat(turns))
    view = parse_policy(settings).view(messages, counting=COUNTING)
    assert broken_rules_of_anthropic(view.messages) == []
    assert [message for message in messages if message in view.messages] == list(view.messages)


@given(messy_histories, st.integers(1, 30), GRANULARITIES)
def test_a_message_window_keeps_what_eviction_by_hand_leaves(
    messages: tuple[Message, ...], most: int, granularity: str
) -> None:
    policy = parse_policy({"policy": "message_window", "max_messages": most, "granularity": granularity})
    view = policy.view(messages)
    room = most - (view.system is not None)
    assert retained(view) == kept_by_hand(messages, room, lambda _: 1, by_turn=granularity == "turn")


@given(messy_histories, st.integers(1, 300), GRANULARITIES)
def test_a_token_window_keeps_what_eviction_by_hand_leaves(
    messages: tuple[Message, ...], most: int, granularity: str
) -> None:
    policy = parse_policy({"policy": "token_window", "max_tokens": most, "granularity": granularity})
    view = policy.view(messages, counting=COUNTING)
    room = most - 3 - (tokens(view.system) if view.system else 0)
    assert retained(view) == kept_by_hand(messages, room, tokens, by_turn=granularity == "turn")


@given(messy_histories, POLICIES)
def test_every_message_is_retained_or_left_out_for_a_reason(
    messages: tuple[Message, ...], settings: dict[str, Any]
) -> None:
    view = parse_policy(settings).view(messages, counting=COUNTING)
    left = [one.message for one in view.left_out if one.message.id]
    assert sorted(message.id for message in [*view.messages, *left]) == sorted(message.id for message in messages)


@given(messy_histories)
def test_a_larger_window_holds_all_that_a_smaller_one_does(messages: tuple[Message, ...]) -> None:
    smaller: set[str] = set()
    for most in range(1, 12):
        view = parse_policy({"policy": "turn_window", "max_turns": most}).view(messages)
        ids = {message.id for message in view.messages}
        assert smaller <= ids
        smaller = ids


def test_a_view_does_not_open_on_reasoning_about_what_it_lacks() -> None:
    history = numbered([user(), reasoning(), assistant(None, "c"), result("c"), assistant(), user()])
    for most, ids in ((6, list(history)), (5, list(history[4:])), (2, list(history[4:])), (1, list(history[5:]))):
        policy = parse_policy({"policy": "message_window", "max_messages": most, "granularity": "message"})
        assert list(policy.view(history).messages) == ids


def test_an_active_turn_loses_its_oldest_complete_exchanges_only() -> None:
    note = assistant("I look twice.")
    history = numbered(
        [user("old"), assistant(), user("new"), note]
        + [message for n in range(4) for message in (assistant(None, f"c{n}"), result(f"c{n}"))]
        + [assistant(None, "pending")]
    )
    for granularity in ("turn", "message"):
        policy = parse_policy({"policy": "message_window", "max_messages": 6, "granularity": granularity})
        assert [message.seq for message in policy.view(history).messages] == [3, 4, 11, 12, 13]
    least = parse_policy({"policy": "message_window", "max_messages": 1}).view(history)
    assert [message.seq for message in least.messages] == [3, 4, 13]
    assert least.over_budget
    assert least.refusal is None


def test_what_is_over_budget_is_refused_where_asked() -> None:
    messages = (system(), user("long" * 20))
    refused = parse_policy({"policy": "token_window", "max_tokens": 50}).view(messages, counting=COUNTING)
    assert refused.messages == messages
    assert isinstance(refused.refusal, ContextBudgetExceeded)
    assert (refused.refusal.required_tokens, refused.refusal.budget_tokens) == (refused.tokens["total"], 50)
    by_count = parse_policy({"policy": "message_window", "max_messages": 1, "on_overflow": "error"}).view(messages)
    assert by_count.refusal is not None
    assert (by_count.refusal.code, by_count.refusal.param) == ("context_budget_exceeded", "memory")
    kept = parse_policy({"policy": "token_window", "max_tokens": 50, "on_overflow": "keep"})
    assert kept.view(messages, counting=COUNTING).refusal is None


def test_tokens_are_told_by_part() -> None:
    messages = (system("Be brief."), user("one"), assistant("two"), user("three"))
    counting = Counting(count=tokens, overhead=3, tools=lambda: 11)
    view = parse_policy({"policy": "message_window"}).view(messages, inputs=1, counting=counting)
    assert view.tokens == {"system": 13, "history": 14, "input": 9, "tools": 11, "total": 50}
    assert parse_policy({"policy": "message_window"}).view(messages).tokens == {}


def test_tools_come_off_a_context_window_but_not_off_max_tokens() -> None:
    messages = [user("1"), assistant("2"), user("3")]
    counting = Counting(count=lambda _: 10, tools=lambda: 30)
    window = {"policy": "token_window", "context_window": 70, "reserve_output_tokens": 15}
    assert parse_policy(window).view(messages, counting=counting).retained == 1
    assert parse_policy({**window, "tool_schema_tokens": 25}).view(messages, counting=counting).retained == 3
    assert parse_policy({"policy": "token_window", "max_tokens": 30}).view(messages, counting=counting).retained == 3


def test_nothing_is_counted_where_the_bounds_show_that_all_fits() -> None:
    def never(_: Message) -> int:
        message = "a message was counted"
        raise AssertionError(message)

    policy = parse_policy({"policy": "token_window", "max_tokens": 100})
    counting = Counting(count=never, at_most=lambda _: 50, tools=lambda: never(user()))
    view = policy.view([user(), assistant()], counting=counting)
    assert (view.retained, view.tokens) == (2, {})
    assert policy.keep([user(), assistant()], counting=counting).earlier.whole
    with pytest.raises(AssertionError):
        policy.view([user(), assistant(), user()], counting=counting)
    bounded = Counting(count=tokens, at_most=tokens)
    kept = policy.keep([user(), assistant()] * 9, counting=bounded)
    view = policy.view((*kept.messages, user()), earlier=kept.earlier, counting=bounded)
    assert not view.short, "a tail that fits says nothing about what precedes it"
    with pytest.raises(ValueError, match="counter"):
        policy.view([user()])
