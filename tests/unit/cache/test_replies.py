"""What the cache keeps of replies, on its fake."""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING

import pytest

from chat_core.cache import CacheAccess, CacheFlow, Directives, ModelCall, Provider, Replies
from chat_core.cache.envelope import MAX_VALUE_BYTES, Envelope, pack
from chat_core.keys import KeySpace
from tests.fakes import virtual_time
from tests.fakes.model import FakeModel, completion
from tests.fakes.momento import MAX_ITEM_BYTES, InMemoryResponseCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.observability import Metric

QUESTION = {"model": "fake", "messages": [{"role": "user", "content": "Hello"}]}
CALL = ModelCall("naomi", QUESTION, Directives(), "chat/completions")


@pytest.mark.parametrize(("characters", "expected"), [(6_400_000, ["MISS", "HIT"]), (6_900_000, ["MISS", "MISS"])])
def test_the_largest_value_that_is_cached(characters: int, expected: list[str]) -> None:
    """Beyond it a value would still fit into the cache for some keys and not for others."""
    letters = random.Random(7).choices(string.ascii_letters + string.digits + "+/", k=characters)
    answer = completion("".join(letters))
    size = len(pack(Envelope(0.0, 0.0, 0, answer)))
    assert (size <= MAX_VALUE_BYTES) is (expected[-1] == "HIT")
    assert size < MAX_ITEM_BYTES - 1_000, "the cache itself would take it"
    counted: list[str] = []

    def count(metric: Metric, value: float = 1, *, reason: str = "") -> None:
        counted.append(metric)

    async def main(clock: Callable[[], float]) -> list[str]:
        cache, model = InMemoryResponseCache(clock), FakeModel()
        model.script.extend([answer] * 2)
        access = CacheAccess(cache, count)
        replies = Replies(CacheFlow(access, count), Provider(access, model, KeySpace("http://model"), 3600, clock))
        return [(await replies.respond(CALL, timeout=20.0)).status for _ in range(2)]

    assert virtual_time.run(main) == expected
    assert "CacheErrors" not in counted
