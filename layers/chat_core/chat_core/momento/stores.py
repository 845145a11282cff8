"""What is kept in Momento: the response cache's values, and the hot copies of conversations."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from chat_core.keys import history_list_key, memory_key
from chat_core.momento.connection import MAX_TTL, unless_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from momento import CacheClientAsync
    from momento.responses import CacheListConcatenateBackResponse
    from momento.responses.response import CacheResponse

    from chat_core.keys import Address
    from chat_core.momento.connection import MomentoCache


class MomentoResponseCache:
    """Values by key: `chat_core.cache.ResponseCache`.

    Parameters
    ----------
    cache
        Where they are kept.
    """

    def __init__(self, cache: MomentoCache) -> None:
        self._cache = cache

    @property
    def allowance(self) -> float:
        """See `chat_core.cache.ResponseCache`."""
        return self._cache.allowance

    async def get(self, key: str, *, timeout: float) -> bytes | None:
        """See `chat_core.cache.ResponseCache`."""
        response = await self._cache.call(lambda client: client.get(self._cache.name, key), timeout=timeout)
        from momento.responses import CacheGet

        return response.value_bytes if isinstance(response, CacheGet.Hit) else None

    async def set(self, key: str, value: bytes, *, ttl: float, timeout: float) -> None:
        """See `chat_core.cache.ResponseCache`."""
        await self._cache.call(
            lambda client: client.set(self._cache.name, key, value, timedelta(seconds=ttl)), timeout=timeout
        )

    async def set_if_absent(self, key: str, value: bytes, *, ttl: float, timeout: float) -> bool:
        """See `chat_core.cache.ResponseCache`."""
        response = await self._cache.call(
            lambda client: client.set_if_not_exists(self._cache.name, key, value, timedelta(seconds=ttl)),
            timeout=timeout,
        )
        from momento.responses import CacheSetIfNotExists

        return isinstance(response, CacheSetIfNotExists.Stored)

    async def delete(self, key: str, *, timeout: float) -> None:
        """See `chat_core.cache.ResponseCache`."""
        await self._cache.call(lambda client: client.delete(self._cache.name, key), timeout=timeout)


class MomentoMemoryStore:
    """The hot copies of conversations: `chat_core.hot.MemoryStore`.

    Parameters
    ----------
    cache
        Where they are kept.
    ttl
        How long after its last write a copy is kept, at most 24 hours.
    """

    def __init__(self, cache: MomentoCache, *, ttl: timedelta = MAX_TTL) -> None:
        self._cache = cache
        self._values = MomentoResponseCache(cache)
        self._ttl = ttl

    async def read_memory(self, address: Address, *, timeout: float) -> bytes | None:
        """See `chat_core.hot.MemoryStore`."""
        return await self._values.get(memory_key(address), timeout=timeout)

    async def write_memory(self, address: Address, value: bytes, *, timeout: float) -> None:
        """See `chat_core.hot.MemoryStore`."""
        key = memory_key(address)
        await self._values.set(key, value, ttl=self.ttl, timeout=timeout)

    @property
    def ttl(self) -> float:
        """See `chat_core.hot.MemoryStore`."""
        return self._ttl.total_seconds()

    async def history_length(self, address: Address, *, timeout: float) -> int:
        """See `chat_core.hot.MemoryStore`."""
        key = history_list_key(address)
        response = await self._cache.call(lambda client: client.list_length(self._cache.name, key), timeout=timeout)
        from momento.responses import CacheListLength

        return response.length if isinstance(response, CacheListLength.Hit) else 0

    async def append_history(self, address: Address, elements: Sequence[str], *, keep: int, timeout: float) -> int:
        """See `chat_core.hot.MemoryStore`.

        Neither this module nor the SDK tries it again: after a lost answer nobody knows whether it was done.
        """
        key = history_list_key(address)
        response = await self._cache.call(lambda client: self._append(client, key, elements, keep), timeout=timeout)
        from momento.responses import CacheListConcatenateBack

        return response.list_length if isinstance(response, CacheListConcatenateBack.Success) else 0

    async def replace_history(self, address: Address, elements: Sequence[str], *, timeout: float) -> None:
        """See `chat_core.hot.MemoryStore`.

        Two calls, since Momento has none for it: between them a reader sees no list, never a mixed one. If the
        second fails the list stays empty, and the next append's length tells.
        """
        key = history_list_key(address)

        async def replace(client: CacheClientAsync) -> CacheResponse:
            deleted = await client.delete(self._cache.name, key)
            if not elements:
                return deleted
            unless_error(deleted)
            return await self._append(client, key, elements, len(elements))

        await self._cache.call(replace, timeout=timeout)

    async def forget(self, address: Address, *, timeout: float) -> None:
        """See `chat_core.hot.MemoryStore`."""
        keys = history_list_key(address), memory_key(address)

        async def delete(client: CacheClientAsync) -> CacheResponse:
            first, second = await asyncio.gather(*(client.delete(self._cache.name, key) for key in keys))
            unless_error(first)
            return second

        await self._cache.call(delete, timeout=timeout)

    async def _append(
        self, client: CacheClientAsync, key: str, elements: Sequence[str], keep: int
    ) -> CacheListConcatenateBackResponse:
        from momento.requests import CollectionTtl

        return await client.list_concatenate_back(
            self._cache.name, key, elements, ttl=CollectionTtl.of(self._ttl), truncate_front_to_size=keep
        )
