"""The breaker in front of Momento: both kinds of stores share it, and it spares a Momento that is down."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from momento import CacheClient, Configurations, CredentialProvider
from momento.responses import CreateCache

from chat_core.errors import CacheUnavailable
from chat_core.keys import Address
from chat_core.momento import MomentoCache, MomentoCredentials, MomentoMemoryStore, MomentoResponseCache
from chat_core.momento.breaker import Breaker
from local.momento import EmbeddedMomento

if TYPE_CHECKING:
    from collections.abc import Coroutine

SECONDS = 5.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def reason(call: Coroutine[None, None, object]) -> str:
    with pytest.raises(CacheUnavailable) as caught:
        await call
    return caught.value.reason


def test_a_momento_that_is_down_is_left_alone_for_a_while() -> None:
    clock = Clock()

    async def main(server: EmbeddedMomento, cache: MomentoCache) -> None:
        values, memory = MomentoResponseCache(cache), MomentoMemoryStore(cache)
        await values.set("llm:1", b"1", ttl=60, timeout=SECONDS)
        server.faults.fail()
        assert await reason(values.get("llm:1", timeout=SECONDS)) == "unavailable"
        assert await reason(memory.read_memory(Address("naomi", "talk"), timeout=SECONDS)) == "unavailable"
        assert await reason(values.set("llm:2", b"2", ttl=60, timeout=SECONDS)) == "unavailable"
        server.faults.clear()
        server.meter.reset()
        for _ in range(5):
            assert await reason(values.get("llm:1", timeout=SECONDS)) == "breaker_open"
            assert await reason(memory.read_memory(Address("naomi", "talk"), timeout=SECONDS)) == "breaker_open"
        assert server.meter.snapshot().calls == {}
        clock.now += 10
        assert await values.get("llm:1", timeout=SECONDS) == b"1"
        assert await memory.read_memory(Address("naomi", "talk"), timeout=SECONDS) is None
        await cache.aclose()

    with EmbeddedMomento() as server:
        credentials = CredentialProvider.for_momento_local("127.0.0.1", server.port)
        with CacheClient(Configurations.Lambda.latest(), credentials, timedelta(minutes=1)) as client:
            assert isinstance(client.create_cache("omoide"), CreateCache.Success)
        local = MomentoCredentials(local=f"127.0.0.1:{server.port}")
        asyncio.run(main(server, MomentoCache("omoide", lambda *, refresh: local, breaker=Breaker(clock=clock))))
