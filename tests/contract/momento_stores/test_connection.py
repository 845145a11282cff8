"""One client an event loop, whoever calls."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

from tests.contract.momento_stores.support import SECONDS, Credentials, Run, Stores, append

if TYPE_CHECKING:
    from chat_core.momento import (
        MomentoCache,
    )

# The event loop


def test_one_loop_serves_many_invocations_with_one_client(momento: Stores, credentials: Credentials, run: Run) -> None:
    for length in range(1, 6):
        assert run(append(momento, "1")) == length
    assert credentials.asked == [False]


def test_calls_at_once_share_one_client(momento: Stores, credentials: Credentials, run: Run) -> None:
    async def at_once() -> None:
        await asyncio.gather(*(momento.replies.get(f"llm:{n}", timeout=SECONDS) for n in range(10)))

    run(at_once())
    assert credentials.asked == [False]


def test_another_loop_gets_a_client_of_its_own(momento: Stores, cache: MomentoCache, run: Run) -> None:
    assert run(append(momento, "1")) == 1

    async def elsewhere() -> int:
        length = await append(momento, "2")
        await cache.aclose()
        return length

    assert asyncio.run(elsewhere()) == 2
    assert run(append(momento, "3")) == 3
    gc.collect()


def test_a_closed_cache_connects_again(
    momento: Stores, cache: MomentoCache, credentials: Credentials, run: Run
) -> None:
    run(cache.aclose())
    run(append(momento, "1"))
    run(cache.aclose())
    run(cache.aclose())
    assert run(append(momento, "2")) == 2
    assert credentials.asked == [False, False]
