"""What the core asks of the cache that holds replies and vectors."""

from __future__ import annotations

from typing import Protocol


class ResponseCache(Protocol):
    """The model's replies by the hash of the request. Every call raises `CacheUnavailable`.

    Each has a ``timeout`` in seconds; an environment's first ones may take longer, since they have to connect.
    """

    @property
    def allowance(self) -> float:
        """Seconds by which a call may overstep its timeout now; 0 once the cache has answered."""
        ...

    async def get(self, key: str, *, timeout: float) -> bytes | None:
        """Read a value."""
        ...

    async def set(self, key: str, value: bytes, *, ttl: float, timeout: float) -> None:
        """Write a value for ``ttl`` seconds."""
        ...

    async def set_if_absent(self, key: str, value: bytes, *, ttl: float, timeout: float) -> bool:
        """Write a value for ``ttl`` seconds unless there is one, and tell whether it was written. Never retried."""
        ...

    async def delete(self, key: str, *, timeout: float) -> None:
        """Delete a value, if there is one."""
        ...
