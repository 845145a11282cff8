"""What a turn asks of Momento: calls, those that wait for one another, and operations as Momento meters them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest import mock
from uuid import uuid4

import pytest

from chat_core.momento import MomentoCache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.app import App

TEXT = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもや"


class Chain:
    """How many calls have waited for one another: one that begins after another's end is a link behind it."""

    def __init__(self) -> None:
        self.ended = 0
        self.longest = 0

    async def around(self, call: Any, *args: Any, **options: Any) -> Any:
        link = self.ended + 1
        self.longest = max(self.longest, link)
        try:
            return await call(*args, **options)
        finally:
            self.ended = max(self.ended, link)


@pytest.fixture
def chain() -> Iterator[Chain]:
    """Watch the calls of this process's connection; each still goes the whole way."""
    seen, call = Chain(), MomentoCache.call

    async def watched(self: MomentoCache, *args: Any, **options: Any) -> Any:
        return await seen.around(lambda *inner, **more: call(self, *inner, **more), *args, **options)

    with mock.patch.object(MomentoCache, "call", watched):
        yield seen


def turn(app: App, conversation: str, text: str) -> tuple[Counter[str], int, str]:
    app.momento.meter.reset()
    answer = app.turn(conversation, text)
    assert answer.status == 200, answer.body
    metered = app.momento.meter.snapshot()
    return Counter(metered.calls), metered.operations, answer.headers["x-cache"]


@pytest.mark.parametrize("turns", [1, 5, 12, 30])
def test_a_turn_costs_seven_operations_at_most_however_long_its_conversation(app: App, turns: int) -> None:
    conversation = f"long-{uuid4().hex}"
    for number in range(turns):
        calls, operations, cache = turn(app, conversation, f"{TEXT}{number}")
    assert cache == "MISS"
    assert operations <= 7 + 3 * (turns == 1)  # the first asks who else asks the same
    if turns > 1:
        assert calls == {"Get": 2, "Set": 2, "ListConcatenateBack": 1}


def test_a_turn_answered_by_the_cache_has_two_calls_in_a_row_until_its_answer_and_then_one_for_the_copies(
    app: App, chain: Chain
) -> None:
    text = f"{TEXT}{uuid4().hex}"
    turn(app, f"first-{uuid4().hex}", text)
    chain.ended = chain.longest = 0
    calls, operations, cache = turn(app, f"again-{uuid4().hex}", text)
    assert (cache, chain.longest) == ("HIT", 3)
    assert calls == {"Get": 2, "Set": 1, "ListConcatenateBack": 1}
    assert operations <= 6


def test_a_call_answered_by_the_cache_is_one_call_of_momento(app: App, chain: Chain) -> None:
    body = {"model": "gpt-4.1-mini", "input": f"{TEXT}{uuid4().hex}", "store": False}
    app.call("POST", "/v1/responses", body)
    chain.ended = chain.longest = 0
    app.momento.meter.reset()
    answer = app.call("POST", "/v1/responses", body)
    assert (answer.headers["x-cache"], chain.longest) == ("HIT", 1)
    assert app.momento.meter.snapshot().calls == {"Get": 1}


def test_a_turn_of_a_conversation_has_four_calls_in_a_row_at_most(app: App, chain: Chain) -> None:
    conversation = f"row-{uuid4().hex}"
    turn(app, conversation, f"{TEXT}0")
    chain.ended = chain.longest = 0
    turn(app, conversation, f"{TEXT}1")
    assert chain.longest <= 4
