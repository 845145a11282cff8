"""How much is explained at once."""

from __future__ import annotations

import pytest

from chat_core.errors import RequestTooLarge
from chat_core.messages import Message
from chat_core.turns.explainable import EXPLAINED_BYTES, MESSAGE_BYTES, check_count, check_size

MOST = EXPLAINED_BYTES // MESSAGE_BYTES


def test_so_many_messages_are_refused_unread() -> None:
    check_count(MOST)
    with pytest.raises(RequestTooLarge) as caught:
        check_count(MOST + 1)
    assert (caught.value.param, caught.value.code) == ("policy", "context_too_large")


def test_many_short_messages_weigh_as_a_few_long_ones() -> None:
    short = Message("user", content="x")
    check_size([short] * (MOST // 2))
    with pytest.raises(RequestTooLarge):
        check_size([short] * MOST)
    long = Message("user", content="漢" * (EXPLAINED_BYTES // 6))
    check_size([long])
    with pytest.raises(RequestTooLarge):
        check_size([long, long])
