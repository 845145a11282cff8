"""How much time is left, so that every inner deadline ends before the outer one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from chat_core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

STORE_TIMEOUT = 5.0
"""Most seconds that a turn waits for one answer of the durable history."""

STORE_RETRY_MS = 1_000


class Invocation(Protocol):
    """What Lambda hands to a handler beside the event."""

    def get_remaining_time_in_millis(self) -> int:
        """Tell the time that is left."""
        ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock.

    Parameters
    ----------
    at
        In the clock's seconds.
    clock
        Monotonic, in seconds.

    Examples
    --------
    >>> Deadline.after(5.0, clock=lambda: 100.0).remaining()
    5.0
    """

    at: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, invocation: Invocation) -> Deadline:
        """Make the deadline at which Lambda ends an invocation."""
        return cls.after(invocation.get_remaining_time_in_millis() / 1000)

    @classmethod
    def after(cls, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """Make the deadline that is ``seconds`` away."""
        return cls(clock() + seconds, clock)

    def remaining(self, *, reserve: float = 0.0) -> float:
        """Seconds left, less a reserve for what comes after; never below 0."""
        return max(0.0, self.at - self.clock() - reserve)

    async def stored(self, call: Awaitable[T], *, at_most: float = STORE_TIMEOUT, reserve: float = 0.0) -> T:
        """Wait for the durable history, and no longer than there is time.

        Parameters
        ----------
        at_most
            Seconds.
        reserve
            Seconds to leave for what comes after.

        Raises
        ------
        StoreUnavailable
            If it does not answer in time. A write may have been made all the same.
        """
        try:
            async with asyncio.timeout(min(at_most, self.remaining(reserve=reserve))):
                return await call
        except TimeoutError:
            message = "The history does not answer in time."
            raise StoreUnavailable(message, retry_after_ms=STORE_RETRY_MS) from None
