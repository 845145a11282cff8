"""The cache in memory: what the adapter for Momento does, without Momento."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

from chat_core.errors import CacheUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_ITEM_BYTES = 5 * 1024 * 1024
MAX_ELEMENT_BYTES = 128 * 1024
DAY = 86_400.0

T = TypeVar("T")


class _Expiring(Generic[T]):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, tuple[T, float]] = {}

    def get(self, key: str) -> T | None:
        value, expires_at = self._entries.get(key, (None, 0.0))
        return value if expires_at > self._clock() else None

    def set(self, key: str, value: T, ttl: float) -> None:
        self._entries[key] = (value, self._clock() + min(ttl, DAY))

    def delete(self, key: str) -> None:
        self._entries.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()


class InMemoryResponseCache:
    """`chat_core.cache.ResponseCache` in memory.

    Parameters
    ----------
    clock
        Seconds since the epoch, by which values expire.

    Attributes
    ----------
    unavailable
        The reason why every call fails, None while all is well.
    """

    allowance = 0.0

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.unavailable: str | None = None
        self._values = _Expiring[bytes](clock)

    async def get(self, key: str, *, timeout: float) -> bytes | None:
        _check(self.unavailable)
        return self._values.get(key)

    async def set(self, key: str, value: bytes, *, ttl: float, timeout: float) -> None:
        _check(self.unavailable)
        _check_size(len(key.encode()) + len(value), MAX_ITEM_BYTES)
        self._values.set(key, value, ttl)

    async def set_if_absent(self, key: str, value: bytes, *, ttl: float, timeout: float) -> bool:
        absent = await self.get(key, timeout=timeout) is None
        if absent:
            await self.set(key, value, ttl=ttl, timeout=timeout)
        return absent

    async def delete(self, key: str, *, timeout: float) -> None:
        _check(self.unavailable)
        self._values.delete(key)

    def wipe(self) -> None:
        """Lose everything."""
        self._values.clear()


class InMemoryMemoryStore:
    """`chat_core.hot.MemoryStore` in memory.

    Parameters
    ----------
    clock
        Seconds since the epoch, by which copies expire.
    ttl
        Seconds after its last write that a copy is kept.

    Attributes
    ----------
    unavailable
        The reason why every call fails, None while all is well.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, ttl: float = DAY) -> None:
        self.unavailable: str | None = None
        self._ttl = ttl
        self._values = _Expiring[bytes](clock)
        self._lists = _Expiring[tuple[str, ...]](clock)

    async def read_memory(self, user: str, conversation: str, *, timeout: float) -> bytes | None:
        _check(self.unavailable)
        return self._values.get(f"{user}/{conversation}")

    async def write_memory(self, user: str, conversation: str, value: bytes, *, timeout: float) -> None:
        _check(self.unavailable)
        _check_size(len(value), MAX_ITEM_BYTES)
        self._values.set(f"{user}/{conversation}", value, self._ttl)

    async def append_history(
        self, user: str, conversation: str, elements: Sequence[str], *, keep: int, timeout: float
    ) -> int:
        _check(self.unavailable)
        kept = (*self.history(user, conversation), *elements)[-keep:]
        self._write(user, conversation, kept)
        return len(kept)

    async def replace_history(self, user: str, conversation: str, elements: Sequence[str], *, timeout: float) -> None:
        _check(self.unavailable)
        self._lists.delete(f"{user}/{conversation}")
        if elements:
            self._write(user, conversation, tuple(elements))

    async def forget(self, user: str, conversation: str, *, timeout: float) -> None:
        _check(self.unavailable)
        self._values.delete(f"{user}/{conversation}")
        self._lists.delete(f"{user}/{conversation}")

    def history(self, user: str, conversation: str) -> tuple[str, ...]:
        """Give the elements of the hot list, as a reader of Momento's sees them."""
        return self._lists.get(f"{user}/{conversation}") or ()

    def wipe(self) -> None:
        """Lose everything."""
        self._values.clear()
        self._lists.clear()

    def _write(self, user: str, conversation: str, elements: tuple[str, ...]) -> None:
        sizes = [len(element.encode()) for element in elements]
        _check_size(max(sizes), MAX_ELEMENT_BYTES)
        _check_size(sum(sizes), MAX_ITEM_BYTES)
        self._lists.set(f"{user}/{conversation}", elements, self._ttl)


def _check(unavailable: str | None) -> None:
    if unavailable is not None:
        raise CacheUnavailable(unavailable)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise CacheUnavailable("limit_exceeded")
