"""The stores, on the real client against the embedded server, and the fakes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from momento import CacheClient, Configurations, CredentialProvider
from momento.responses import CacheListFetch, CreateCache

from chat_core.keys import history_list_key
from chat_core.momento import (
    MomentoCache,
    MomentoMemoryStore,
    MomentoResponseCache,
)
from local.momento import EmbeddedMomento
from tests.fakes.momento import InMemoryMemoryStore, InMemoryResponseCache

if TYPE_CHECKING:
    from collections.abc import Iterator

from tests.contract.momento_stores.support import CACHE, HERE, TTL, Clock, Credentials, Run, Stores


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Run:
    return loop.run_until_complete


@pytest.fixture
def server(clock: Clock) -> Iterator[EmbeddedMomento]:
    with EmbeddedMomento(clock=clock) as server:
        yield server


@pytest.fixture
def reader(server: EmbeddedMomento) -> Iterator[CacheClient]:
    credentials = CredentialProvider.for_momento_local("127.0.0.1", server.port)
    with CacheClient(Configurations.Lambda.latest(), credentials, timedelta(hours=1)) as client:
        assert isinstance(client.create_cache(CACHE), CreateCache.Success)
        server.meter.reset()
        yield client


@pytest.fixture
def credentials(server: EmbeddedMomento) -> Credentials:
    return Credentials(server)


@pytest.fixture
def cache(credentials: Credentials, reader: CacheClient, clock: Clock, run: Run) -> Iterator[MomentoCache]:
    assert reader
    cache = MomentoCache(CACHE, credentials, clock=clock)
    yield cache
    run(cache.aclose())


@pytest.fixture
def momento(cache: MomentoCache, reader: CacheClient) -> Stores:
    def history() -> list[str]:
        answer = reader.list_fetch(CACHE, history_list_key(HERE))
        return answer.value_list_string if isinstance(answer, CacheListFetch.Hit) else []

    memory = MomentoMemoryStore(cache, ttl=timedelta(seconds=TTL))
    return Stores(memory, MomentoResponseCache(cache), history)


@pytest.fixture
def fake(clock: Clock) -> Stores:
    memory = InMemoryMemoryStore(clock, ttl=TTL)
    return Stores(memory, InMemoryResponseCache(clock), lambda: list(memory.history(HERE)))


@pytest.fixture(params=["momento", "fake"])
def stores(request: pytest.FixtureRequest) -> Stores:
    stores: Stores = request.getfixturevalue(request.param)
    return stores
