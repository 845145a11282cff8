"""The lease on a shared call: how long it lasts, and whose it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from chat_core.cache.access import CacheAccess
from chat_core.cache.single_flight import LAST_POLL, LEASE_SECONDS, SingleFlight
from chat_core.errors import UpstreamTimeout
from chat_core.keys import lease_key
from chat_core.keys.space import KeySpace
from tests.fakes import virtual_time
from tests.fakes.model import FakeModel
from tests.fakes.momento import InMemoryResponseCache
from tests.unit.cache.test_single_flight import BODY, KEY, TIMEOUT, ask, environment, ignore

if TYPE_CHECKING:
    from tests.unit.cache.test_single_flight import Clock


async def nothing(_seconds: float) -> bytes | None:
    return None


def test_who_wins_the_lease_looks_once_more() -> None:
    async def main(clock: Clock) -> None:
        cache = InMemoryResponseCache(clock)
        flights = SingleFlight(CacheAccess(cache, ignore), clock=clock)

        async def landed(_seconds: float) -> bytes | None:
            return b"value"

        ticket = await flights.join(KEY, landed, timeout=TIMEOUT)
        assert (ticket.found, ticket.waited, ticket.lease) == (b"value", False, "")
        assert await cache.get(lease_key(KEY), timeout=1) is None

    virtual_time.run(main)


def test_a_lease_lives_a_little_longer_than_its_call() -> None:
    async def main(clock: Clock) -> None:
        cache = InMemoryResponseCache(clock)
        flights = SingleFlight(CacheAccess(cache, ignore), clock=clock)
        assert (await flights.join(KEY, nothing, timeout=5.0)).lease == lease_key(KEY)
        await asyncio.sleep(5.0)
        assert await cache.get(lease_key(KEY), timeout=1) is not None
        await asyncio.sleep(1.0)
        assert await cache.get(lease_key(KEY), timeout=1) is None

    virtual_time.run(main)


def test_a_lease_is_renewed_while_its_holder_is_at_work_and_no_longer() -> None:
    async def main(clock: Clock) -> None:
        cache = InMemoryResponseCache(clock)
        flights = SingleFlight(CacheAccess(cache, ignore), clock=clock)
        ticket = await flights.join(KEY, nothing, timeout=290.0)
        async with flights.renewed(ticket):
            for _ in range(20):
                await asyncio.sleep(11.0)
                assert await cache.get(lease_key(KEY), timeout=1) == ticket.token
        await asyncio.sleep(31.0)  # a killed environment renews nothing more
        assert await cache.get(lease_key(KEY), timeout=1) is None

    virtual_time.run(main)


def test_a_lease_that_another_has_taken_is_not_renewed() -> None:
    async def main(clock: Clock) -> None:
        cache = InMemoryResponseCache(clock)
        flights = SingleFlight(CacheAccess(cache, ignore), clock=clock)
        ticket = await flights.join(KEY, nothing, timeout=290.0)
        async with flights.renewed(ticket):
            await cache.set(lease_key(KEY), b"another's", ttl=25, timeout=1)
            await asyncio.sleep(26.0)
        assert await cache.get(lease_key(KEY), timeout=1) is None

    virtual_time.run(main)


def test_a_long_call_is_one_call_and_a_killed_leader_of_one_is_followed_in_half_a_minute() -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel(seconds=200.0)
        replies = await asyncio.gather(*(ask(environment(cache, model, clock), timeout=290.0) for _ in range(5)))
        assert len(model.bodies) == 1
        assert [reply.status for reply in replies].count("HIT") == 4

        cache, model = InMemoryResponseCache(clock), FakeModel()
        key = KeySpace("https://api.openai.com/v1").response_key("chat/completions", BODY, user="naomi")
        await cache.set(lease_key(key), b"killed", ttl=LEASE_SECONDS, timeout=1)
        start = clock()
        await ask(environment(cache, model, clock), timeout=290.0)
        # Every other poll looks for the lease, and each comes after a pause of chance.
        assert clock() - start <= LEASE_SECONDS + 2 * LAST_POLL + model.seconds

    virtual_time.run(main)


def test_a_leader_gives_back_its_own_lease_alone() -> None:
    async def main(clock: Clock) -> None:
        cache = InMemoryResponseCache(clock)
        flights = SingleFlight(CacheAccess(cache, ignore), clock=clock)
        ticket = await flights.join(KEY, nothing, timeout=5.0)
        await cache.set(lease_key(KEY), b"another's", ttl=60, timeout=1)
        await flights.abandon(ticket)
        assert await cache.get(lease_key(KEY), timeout=1) == b"another's"

    virtual_time.run(main)


def test_a_waiters_time_ends() -> None:
    async def main(clock: Clock) -> None:
        cache = InMemoryResponseCache(clock)
        flights = SingleFlight(CacheAccess(cache, ignore), clock=clock)
        for key in (KEY, f"{KEY}:2"):
            await cache.set(lease_key(key), b"another's", ttl=60, timeout=1)
        start = clock()
        with pytest.raises(UpstreamTimeout):
            await flights.join(KEY, nothing, timeout=5.0)
        assert clock() - start == pytest.approx(5.0)

    virtual_time.run(main)
