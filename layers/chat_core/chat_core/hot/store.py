"""What the core asks of the cache that holds the hot copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.keys import Address


class MemoryStore(Protocol):
    """The hot copies of a conversation in the cache: a packed memory value and the list that LangChain reads.

    Every call raises `CacheUnavailable`; nothing here is ever the truth.
    """

    async def read_memory(self, address: Address, *, timeout: float) -> bytes | None:
        """Read the packed memory value; ``timeout`` in seconds."""
        ...

    async def write_memory(self, address: Address, value: bytes, *, timeout: float) -> None:
        """Replace the packed memory value."""
        ...

    @property
    def ttl(self) -> float:
        """Seconds after its last write that a copy is kept, at most."""
        ...

    async def history_length(self, address: Address, *, timeout: float) -> int:
        """Tell how many elements the hot list has; 0 where there is none."""
        ...

    async def append_history(self, address: Address, elements: Sequence[str], *, keep: int, timeout: float) -> int:
        """Append to the hot list, cut it to its newest ``keep``, and return its length. Never retried."""
        ...

    async def replace_history(self, address: Address, elements: Sequence[str], *, timeout: float) -> None:
        """Write the hot list anew."""
        ...

    async def forget(self, address: Address, *, timeout: float) -> None:
        """Delete the hot list and the memory value."""
        ...
