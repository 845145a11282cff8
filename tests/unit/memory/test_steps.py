"""Eviction in steps: consecutive turns share the longest prefix, and the limit stays a ceiling."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.memory import Counting, parse_policy
from tests.unit.memory.histories import clean_histories, flat, numbered, system
from tests.unit.memory.test_windows import tokens
from tests.unit.memory.walked import talk

if TYPE_CHECKING:
    from chat_core.messages.message import Message


def starts(settings: dict[str, Any], messages: tuple[Message, ...], behind_system: int = 0) -> list[int]:
    """Seq of the first message of the view after each message, that behind the system message where there is one."""
    policy = parse_policy(settings)
    counting = Counting(count=tokens)
    return [
        policy.view(messages[:end], counting=counting).messages[: behind_system + 1][-1].seq
        for end in range(1, len(messages) + 1)
    ]


@given(clean_histories, st.integers(4, 20), st.integers(1, 4), st.sampled_from(["turn", "message"]))
def test_a_step_never_exceeds_the_limit_nor_goes_back(
    turns: list[list[Message]], most: int, step: int, granularity: str
) -> None:
    messages = numbered(flat(turns))
    settings = {"policy": "message_window", "max_messages": most, "granularity": granularity}
    stepped = starts({**settings, "evict_step_messages": step}, messages)
    exact = starts(settings, messages)
    assert all(one <= other for one, other in pairwise(stepped))
    assert all(one >= other for one, other in zip(stepped, exact, strict=True))


@pytest.mark.parametrize(
    ("settings", "step"),
    [
        ({"policy": "message_window", "max_messages": 20}, {"evict_step_messages": 10}),
        ({"policy": "token_window", "max_tokens": 400}, {"evict_step_tokens": 200}),
    ],
)
def test_steps_move_the_start_less_often(settings: dict[str, Any], step: dict[str, int]) -> None:
    messages = numbered(flat(talk(100)))

    def moves(settings: dict[str, Any]) -> int:
        return sum(one != other for one, other in pairwise(starts(settings, messages)))

    assert moves({**settings, **step}) <= moves(settings) / 4


def test_the_cut_is_rounded_up_to_a_multiple_from_the_conversations_start() -> None:
    messages = numbered(flat(talk(10)))
    by_messages = {"policy": "message_window", "max_messages": 6, "evict_step_messages": 4}
    assert starts(by_messages, messages) == [1] * 6 + [5] * 4 + [9] * 4 + [13] * 4 + [17] * 2
    pinned = starts({**by_messages, "max_messages": 7}, numbered([system(), *messages]), behind_system=1)
    assert pinned == [1, *(start + 1 for start in starts(by_messages, messages))]
    plain = Counting(count=lambda _: 10, overhead=3)
    policy = parse_policy({"policy": "token_window", "max_tokens": 63, "evict_step_tokens": 40})
    found = [policy.view(messages[:end], counting=plain).messages[0].seq for end in range(1, 21)]
    assert found == starts(by_messages, messages)
