"""The response cache within its times: it never holds a request up for long, and tells what failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from chat_core.errors import CacheUnavailable
from chat_core.observability import Metric
from chat_core.timing import timed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from chat_core.cache.store import ResponseCache
    from chat_core.observability import Count

T = TypeVar("T")

READ_TIMEOUT = 0.05
"""Seconds for a read on an open connection; every other time is a multiple of it."""

LEASE_TIMES = 5
WRITE_TIMES = 20
POLL_TIMES = 20
# Of each further value of a batch. One processor reads or writes a value in about a millisecond, so that more at once
# would only wait for each other.
BATCH_TIMES = 0.08
BATCH_WIDTH = 8


class CacheAccess:
    """Calls of the response cache, each with its deadline.

    Every call raises `CacheUnavailable`.

    Parameters
    ----------
    cache
        See `chat_core.cache.store`.
    count
        Takes note of what fails, by reason.
    timeout
        Seconds for a read, and for how long a write may hold an answer back.
    """

    def __init__(self, cache: ResponseCache, count: Count, *, timeout: float = READ_TIMEOUT) -> None:
        self._cache = cache
        self._count = count
        self.timeout = timeout
        self.lease_timeout = LEASE_TIMES * timeout
        self.poll_timeout = POLL_TIMES * timeout
        self._left: set[asyncio.Task[Any]] = set()

    async def get(self, key: str, *, timeout: float | None = None) -> bytes | None:
        """Read a value; within ``timeout`` seconds where there is time for more than the usual."""
        with timed("cache"):
            return await self._done(self._cache.get(key, timeout=timeout or self.timeout))

    async def set(self, key: str, value: bytes, *, ttl: float) -> None:
        """Write a value for ``ttl`` seconds; `hold` keeps it from holding anything up."""
        await self._done(self._cache.set(key, value, ttl=ttl, timeout=WRITE_TIMES * self.timeout))

    async def set_if_absent(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Write a value for ``ttl`` seconds unless there is one, and tell whether it was written."""
        return await self._done(self._cache.set_if_absent(key, value, ttl=ttl, timeout=self.lease_timeout))

    async def delete(self, key: str) -> None:
        """Delete a value."""
        await self._done(self._cache.delete(key, timeout=self.lease_timeout))

    async def get_all(self, keys: Sequence[str]) -> tuple[dict[str, bytes], str]:
        """Read many values, a few at once, all within a time that grows with their number.

        Returns
        -------
        tuple
            The values that are there by their keys, and why others could not be read; empty when all could.
        """
        found: dict[str, bytes] = {}
        failures: list[str] = []

        async def read(key: str) -> None:
            try:
                value = await self.get(key)
            except CacheUnavailable as error:
                failures.append(error.reason)
            else:
                if value is not None:
                    found[key] = value

        if not await self._each(keys, read):
            failures.append("timeout")
        return found, failures[0] if failures else ""

    async def set_all(self, values: Sequence[tuple[str, bytes, float]]) -> bool:
        """Write values, each a key, its value and its time to live; tell whether all were written.

        The first is written last and has the time of a single one: it tells who waits for it that all are there.
        """
        if not await self._set_each(values[1:]):
            return False
        key, value, ttl = values[0]
        try:
            await self.set(key, value, ttl=ttl)
        except CacheUnavailable:
            return False
        return True

    async def _set_each(self, values: Sequence[tuple[str, bytes, float]]) -> bool:
        written = 0

        async def write(value: tuple[str, bytes, float]) -> None:
            nonlocal written
            try:
                await self.set(value[0], value[1], ttl=value[2])
            except CacheUnavailable:
                return
            written += 1

        await self._each(values, write)
        return written == len(values)

    def beside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin work that nobody waits for: it goes on beside whatever comes."""
        task = asyncio.ensure_future(work)
        self._left.add(task)
        task.add_done_callback(self._left.discard)
        return task

    async def hold(self, work: Coroutine[Any, Any, bool], *, size: int = 1) -> bool:
        """Wait a moment for work that follows an answer: it must not hold that back for longer.

        Parameters
        ----------
        size
            How many values it writes.

        Returns
        -------
        bool
            What the work returned; False when it goes on.
        """
        task = self.beside(work)
        await asyncio.wait({task}, timeout=self._batch_timeout(size))
        return task.done() and task.result()

    def _batch_timeout(self, size: int) -> float:
        return self.timeout * (1 + BATCH_TIMES * (size - 1)) + self._cache.allowance

    async def _done(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except CacheUnavailable as error:
            self._count(Metric.CACHE_ERRORS, reason=error.reason)
            raise

    async def _each(self, values: Sequence[T], work: Callable[[T], Awaitable[None]]) -> bool:
        """Do work for each value; False when the time was over before."""
        left = iter(values)

        async def worker() -> None:
            for value in left:
                await work(value)

        try:
            async with asyncio.timeout(self._batch_timeout(len(values))):
                await asyncio.gather(*(worker() for _ in range(min(BATCH_WIDTH, len(values)))))
        except TimeoutError:
            return False
        return True
