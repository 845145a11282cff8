"""One call for many: identical requests in flight, in any number of environments, cause one call of the model.

Momento is no place for a strict lock: its lease damps a stampede, and whoever finds it broken calls for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import uuid4

from chat_core.deadline import Deadline
from chat_core.errors import CacheUnavailable, UpstreamTimeout
from chat_core.keys import lease_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from chat_core.cache.access import CacheAccess

T = TypeVar("T")

LEASE_SECONDS = 30.0
"""How long a lease outlives its holder: whoever is at work renews it, so that only a killed one is waited for."""

RENEWAL_SECONDS = 10.0
LEASE_GRACE = 0.5
FIRST_POLL = 0.1
LAST_POLL = 1.0
POLL_GROWTH = 1.5
# A leader that died is outlived by its lease. A waiter in this last part of its time asks who goes second.
SECOND_PART = 0.25
# After so many leaders that failed, everyone learns for itself what the model has against the request.
MOST_LEADERS = 2
MOST_FAILURES = 2

_EACH_FOR_ITSELF = b"each for itself"
_EACH_FOR_ITSELF_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Ticket(Generic[T]):
    """What a request is to do.

    Parameters
    ----------
    remaining
        Seconds left for the model.
    found
        What the cache has by now: nothing is left to do.
    waited
        Whether it is another's call that brought it.
    lease, token
        The lease that this request holds and must settle; empty when it calls for itself alone.
    failure
        Why there is no lease: what the cache failed with, or empty.
    """

    remaining: float
    found: T | None = None
    waited: bool = False
    lease: str = ""
    token: bytes = b""
    failure: str = ""


class SingleFlight:
    """Chooses who calls the model.

    Parameters
    ----------
    cache
        Where the leases are.
    clock
        Monotonic, in seconds.
    """

    def __init__(self, cache: CacheAccess, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._clock = clock

    async def join(self, key: str, look: Callable[[float], Awaitable[T | None]], *, timeout: float) -> Ticket[T]:
        """Take the lease on the call for a key, or wait for what another's call brings.

        Parameters
        ----------
        key
            Of the cache's value.
        look
            Reads the value within so many seconds; None when there is none that this request may take.
        timeout
            Seconds that the request has for the model, waiting included.

        Raises
        ------
        UpstreamTimeout
            If the time was over before there was anything to take or to do.
        """
        deadline = Deadline.after(timeout, clock=self._clock)
        request = _Request(key, uuid4().hex.encode(), look, deadline)
        lease = lease_key(key)
        try:
            taken = await self._take(lease, request)
        except CacheUnavailable as error:
            if error.reason == "timeout":
                # It may have been taken all the same; the model's time is enough to give it back.
                self._cache.beside(self._give_back(lease, request.token))
            return Ticket(deadline.remaining(), failure=error.reason)
        return await (self._lead(lease, request) if taken else self._wait(request))

    @asynccontextmanager
    async def renewed(self, ticket: Ticket[T]) -> AsyncIterator[None]:
        """Keep the lease while the block runs. A call shorter than ten seconds pays nothing for it."""
        renewing = asyncio.ensure_future(self._renew(ticket)) if ticket.lease else None
        try:
            yield
        finally:
            if renewing is not None:
                renewing.cancel()

    async def _renew(self, ticket: Ticket[T]) -> None:
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            with contextlib.suppress(CacheUnavailable):
                if await self._cache.get(ticket.lease, timeout=self._cache.poll_timeout) != ticket.token:
                    return
                await self._cache.set(ticket.lease, ticket.token, ttl=LEASE_SECONDS)

    async def settle(self, ticket: Ticket[T]) -> None:
        """Give the lease back after the call's result was stored."""
        if ticket.lease:
            with contextlib.suppress(CacheUnavailable):
                await self._cache.delete(ticket.lease)

    async def disband(self, ticket: Ticket[T]) -> None:
        """Tell those who wait that the call's result is not for sharing, so that each calls for itself."""
        if ticket.lease:
            with contextlib.suppress(CacheUnavailable):
                await self._cache.set(ticket.lease, _EACH_FOR_ITSELF, ttl=_EACH_FOR_ITSELF_SECONDS)

    async def abandon(self, ticket: Ticket[T]) -> None:
        """Give the lease back after the call failed, if it is still this request's: another takes over."""
        if ticket.lease:
            await self._cache.hold(self._give_back(ticket.lease, ticket.token))

    async def _take(self, lease: str, request: _Request[T]) -> bool:
        ttl = min(LEASE_SECONDS, request.deadline.remaining() + LEASE_GRACE)
        return await self._cache.set_if_absent(lease, request.token, ttl=ttl)

    async def _give_back(self, lease: str, token: bytes) -> bool:
        try:
            if await self._cache.get(lease, timeout=self._cache.poll_timeout) != token:
                return False
            await self._cache.delete(lease)
        except CacheUnavailable:
            return False
        return True

    async def _lead(self, lease: str, request: _Request[T], *, waited: bool = False) -> Ticket[T]:
        """Look once more: between the last look and the lease another may have stored its result."""
        try:
            found = await request.look(self._cache.lease_timeout)
        except CacheUnavailable:
            found = None
        ticket: Ticket[T] = Ticket(request.deadline.remaining(), lease=lease, token=request.token)
        if found is None:
            return ticket
        await self.abandon(ticket)
        return Ticket(ticket.remaining, found=found, waited=waited)

    async def _wait(self, request: _Request[T]) -> Ticket[T]:
        """Poll for the value, and every other time for the lease, until there is something to take or to do."""
        deadline = request.deadline
        second_from = deadline.remaining() * SECOND_PART
        interval, failures, polls = FIRST_POLL, 0, 0
        while deadline.remaining() > 0:
            try:
                ticket = await self._take_over(request) if polls % 2 == 0 else None
                if ticket is None and deadline.remaining() < second_from:
                    second_from = 0.0
                    ticket = await self._lead_second(request)
                if ticket is not None:
                    return ticket
                await asyncio.sleep(min(deadline.remaining(), _jitter(interval)))
                found = await request.look(min(self._cache.poll_timeout, deadline.remaining()))
            except CacheUnavailable as error:
                failures += 1
                if failures == MOST_FAILURES or error.reason == "breaker_open":
                    return Ticket(deadline.remaining(), failure=error.reason)
            else:
                if found is not None:
                    return Ticket(deadline.remaining(), found=found, waited=True)
                interval, failures, polls = min(interval * POLL_GROWTH, LAST_POLL), 0, polls + 1
        raise UpstreamTimeout("The model did not answer in time.")

    async def _take_over(self, request: _Request[T]) -> Ticket[T] | None:
        """Take the lease where its holder gave it back without a value; None when somebody is at work."""
        lease = lease_key(request.key)
        holder = await self._cache.get(lease, timeout=min(self._cache.poll_timeout, request.deadline.remaining()))
        if holder is None and await self._take(lease, request):
            return await self._lead(lease, request, waited=True)
        request.leaders.add(holder or b"somebody faster")
        if holder == _EACH_FOR_ITSELF or len(request.leaders) > MOST_LEADERS:
            return Ticket(request.deadline.remaining())
        return None

    async def _lead_second(self, request: _Request[T]) -> Ticket[T] | None:
        lease = lease_key(f"{request.key}:2")
        return await self._lead(lease, request, waited=True) if await self._take(lease, request) else None


@dataclass(frozen=True, slots=True)
class _Request(Generic[T]):
    """One request for a value, and the leaders that it has seen while it waited."""

    key: str
    token: bytes
    look: Callable[[float], Awaitable[T | None]]
    deadline: Deadline
    leaders: set[bytes] = field(default_factory=set)


def _jitter(interval: float) -> float:
    """Draw a pause: waiters that all pause alike would come at once, time and again."""
    return random.uniform(interval / 2, interval)  # noqa: S311 - spreads the waiters
