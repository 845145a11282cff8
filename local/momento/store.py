"""The caches and their items: expiry and size limits."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from .errors import ELEMENT_SIZE, ITEM_SIZE, Refused, cache_not_found, too_large, wrong_type

if TYPE_CHECKING:
    from collections.abc import Callable

# https://docs.momentohq.com/cache/limits. Above 24 hours Momento sets the TTL back to 24 hours:
# https://docs.momentohq.com/cache/learn/courses/cache-concepts/time-to-live
MAX_ITEM_BYTES = 5 * 1024 * 1024
MAX_ELEMENT_BYTES = 128 * 1024
MAX_TTL_MILLISECONDS = 24 * 60 * 60 * 1000

Elements = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A stored value, or a list as the tuple of its elements, and when it expires (seconds, the clock's)."""

    value: bytes | Elements
    expires_at: float


class Cache:
    """One cache. The caller holds `lock` around everything that must be atomic.

    Parameters
    ----------
    clock
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.Lock()
        self._clock = clock
        self._items: dict[bytes, Item] = {}

    def item(self, key: bytes) -> Item | None:
        """Return the item at `key` that has not expired."""
        item = self._items.get(key)
        if item is not None and item.expires_at <= self._clock():
            del self._items[key]
            return None
        return item

    def value(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None where there is none.

        Raises
        ------
        Refused
            The item is a list.
        """
        item = self.item(key)
        if item is None:
            return None
        if not isinstance(item.value, bytes):
            raise wrong_type()
        return item.value

    def elements(self, key: bytes) -> Elements | None:
        """Return the elements of the list at `key`, None where there is none.

        Raises
        ------
        Refused
            The item is a value.
        """
        item = self.item(key)
        if item is None:
            return None
        if isinstance(item.value, bytes):
            raise wrong_type()
        return item.value

    def remaining_milliseconds(self, key: bytes) -> int | None:
        """Return how long the item at `key` still lives, None where there is none."""
        item = self.item(key)
        return None if item is None else round((item.expires_at - self._clock()) * 1000)

    def put(self, key: bytes, value: bytes | Elements, ttl_milliseconds: int = 0, *, keep_ttl: bool = False) -> None:
        """Store `value` under `key`; a list without elements is deleted.

        Parameters
        ----------
        ttl_milliseconds
            How long the item lives, at most 24 hours.
        keep_ttl
            An item that exists keeps its own expiry.

        Raises
        ------
        Refused
            The item, its key included, or an element of it is larger than Momento takes.
        """
        if isinstance(value, bytes):
            size = len(value)
        else:
            sizes = [len(element) for element in value]
            if max(sizes, default=0) > MAX_ELEMENT_BYTES:
                raise too_large("Element", MAX_ELEMENT_BYTES, ELEMENT_SIZE)
            size = sum(sizes)
        if len(key) + size > MAX_ITEM_BYTES:
            raise too_large("Item", MAX_ITEM_BYTES, ITEM_SIZE)
        if value == ():
            self.delete(key)
            return
        existing = self.item(key) if keep_ttl else None
        expires_at = self._clock() + min(ttl_milliseconds, MAX_TTL_MILLISECONDS) / 1000
        self._items[key] = Item(value, existing.expires_at if existing else expires_at)

    def delete(self, key: bytes) -> None:
        """Forget the item at `key`, if there is one."""
        self._items.pop(key, None)

    def flush(self) -> None:
        """Forget every item."""
        self._items.clear()


class Caches:
    """The caches by name."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._caches: dict[str, Cache] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return the names of all caches, sorted."""
        with self._lock:
            return sorted(self._caches)

    def create(self, name: str) -> None:
        """Create a cache.

        Raises
        ------
        Refused
            There is one of this name.
        """
        with self._lock:
            if name in self._caches:
                raise Refused(grpc.StatusCode.ALREADY_EXISTS, "Cache already exists")
            self._caches[name] = Cache(self._clock)

    def delete(self, name: str) -> None:
        """Delete a cache with all that is in it.

        Raises
        ------
        Refused
            There is none of this name.
        """
        with self._lock:
            if self._caches.pop(name, None) is None:
                raise cache_not_found()

    def get(self, name: str) -> Cache:
        """Return the cache of this name.

        Raises
        ------
        Refused
            There is none of this name.
        """
        cache = self._caches.get(name)
        if cache is None:
            raise cache_not_found()
        return cache

    def wipe(self) -> None:
        """Lose every item of every cache; the caches stay."""
        with self._lock:
            for cache in self._caches.values():
                with cache.lock:
                    cache.flush()
