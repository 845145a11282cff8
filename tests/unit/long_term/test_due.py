"""When what is added to a conversation makes a fold due."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chat_core.history import Head, Unfolded
from chat_core.keys import Address
from chat_core.long_term import folding_of, is_overdue, makes_due
from chat_core.memory import Folding, parse_add_ons, parse_policy

WINDOW = {"policy": "message_window"}
HEAD = Head(Address("user", "chat"), "a" * 16)


def folding(settings: dict[str, Any]) -> Folding | None:
    return folding_of(parse_policy(settings), parse_add_ons(settings))


def test_nothing_is_ever_due_where_nothing_is_remembered() -> None:
    assert folding(WINDOW) is None
    assert not is_overdue(Unfolded(10**9, 10**6), None)


def test_a_summary_takes_facts_and_index_along() -> None:
    alone = folding({"policy": "summary_window"})
    assert folding({"policy": "summary_window", "recall": True, "entities": True}) == alone == Folding(4_000, 2_000)


@pytest.mark.parametrize(
    ("add_on", "unfolded", "due"),
    [
        ("entities", Unfolded(16_000, 200), False),
        ("entities", Unfolded(16_001, 2), True),
        ("recall", Unfolded(16_001, 2), True),
        ("recall", Unfolded(2_000, 24), False),
        ("recall", Unfolded(2_000, 25), True),
    ],
)
def test_beside_a_window_facts_wait_for_tokens_and_recall_for_messages_too(
    add_on: str, unfolded: Unfolded, due: bool
) -> None:
    assert is_overdue(unfolded, folding({**WINDOW, add_on: True})) is due
    head = replace(HEAD, unfolded=Unfolded(unfolded.bytes - 100, unfolded.messages - 2))
    assert makes_due(head, Unfolded(100, 2), folding({**WINDOW, add_on: True}), now=0) is due
    assert not makes_due(replace(head, fold_after=9), Unfolded(100, 2), folding({**WINDOW, add_on: True}), now=8)
