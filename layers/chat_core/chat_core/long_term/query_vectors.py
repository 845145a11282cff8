"""The direction of what a user asks: embedded while the turn begins, and remembered for an hour."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from chat_core.errors import CacheUnavailable
from chat_core.long_term.recall import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.cache import CacheAccess
    from chat_core.long_term.embedder import Embedder

CACHE_SECONDS = 3_600
_LARGEST = 127


class QueryVectors:
    """Embeds questions, through the cache.

    Parameters
    ----------
    embedder
        See there.
    cache
        Where vectors are remembered, eight bits a number: more than is left of it when it is compared.
    key
        Composes the key of a user's text, the user first: that user's alone, whoever may share replies, since a hit
        would tell another what was asked.
    """

    def __init__(self, embedder: Embedder, cache: CacheAccess, key: Callable[[str, str], str]) -> None:
        self._embedder = embedder
        self._cache = cache
        self._key = key
        self.name = embedder.name

    @property
    def known(self) -> bool:
        """See `Embedder.known`."""
        return self._embedder.known

    async def vector(self, user: str, text: str, *, timeout: float, keep: bool) -> Sequence[float]:
        """Embed a text.

        Parameters
        ----------
        timeout
            Seconds for the provider.
        keep
            Whether the vector is remembered.

        Raises
        ------
        UpstreamRejected, UpstreamError, UpstreamTimeout
            See `Embedder.vectors`.
        """
        key = self._key(user, text)
        found = await self._remembered(key)
        if found is not None:
            return found
        (vector,) = await self._embedder.vectors([text], timeout=timeout)
        if keep:
            self._cache.beside(self._remember(key, vector))
        return vector

    async def _remembered(self, key: str) -> Sequence[float] | None:
        try:
            value = await self._cache.get(key)
        except CacheUnavailable:
            return None
        return struct.unpack(f"{DIMENSIONS}b", value) if value is not None and len(value) == DIMENSIONS else None

    async def _remember(self, key: str, vector: Sequence[float]) -> None:
        most = max(map(abs, vector)) or 1.0
        value = struct.pack(f"{len(vector)}b", *(round(number / most * _LARGEST) for number in vector))
        try:
            await self._cache.set(key, value, ttl=CACHE_SECONDS)
        except CacheUnavailable:
            return
