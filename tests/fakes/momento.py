"""The cache in memory: what the adapter for Momento does, without Momento."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

from chat_core.errors import CacheUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.keys import Address

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
        self.ttl = ttl
        self._values = _Expiring[bytes](clock)
        self._lists = _Expiring[tuple[str, ...]](clock)

    async def read_memory(self, address: Address, *, timeout: float) -> bytes | None:
        _check(self.unavailable)
        return self._values.get(address.session_id)

    async def write_memory(self, address: Address, value: bytes, *, timeout: float) -> None:
        _check(self.unavailable)
        _check_size(len(value), MAX_ITEM_BYTES)
        self._values.set(address.session_id, value, self.ttl)

    async def history_length(self, address: Address, *, timeout: float) -> int:
        _check(self.unavailable)
        return len(self.history(address))

    async def append_history(self, address: Address, elements: Sequence[str], *, keep: int, timeout: float) -> int:
        _check(self.unavailable)
        kept = (*self.history(address), *elements)[-keep:]
        self._write(address, kept)
        return len(kept)

    async def replace_history(self, address: Address, elements: Sequence[str], *, timeout: float) -> None:
        _check(self.unavailable)
        self._lists.delete(address.session_id)
        if elements:
            self._write(address, tuple(elements))

    async def forget(self, address: Address, *, timeout: float) -> None:
        _check(self.unavailable)
        self._values.delete(address.session_id)
        self._lists.delete(address.session_id)

    def history(self, address: Address) -> tuple[str, ...]:
        """Give the elements of the hot list, as a reader of Momento's sees them."""
        return self._lists.get(address.session_id) or ()

    def wipe(self) -> None:
        """Lose everything."""
        self._values.clear()
        self._lists.clear()

    def _write(self, address: Address, elements: tuple[str, ...]) -> None:
        sizes = [len(element.encode()) for element in elements]
        _check_size(max(sizes), MAX_ELEMENT_BYTES)
        _check_size(sum(sizes), MAX_ITEM_BYTES)
        self._lists.set(address.session_id, elements, self.ttl)


def _check(unavailable: str | None) -> None:
    if unavailable is not None:
        raise CacheUnavailable(unavailable)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise CacheUnavailable("limit_exceeded")
