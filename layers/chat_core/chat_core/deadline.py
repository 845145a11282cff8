"""How much time is left, so that every inner deadline ends before the outer one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


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
    def after(cls, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """Make the deadline that is ``seconds`` away."""
        return cls(clock() + seconds, clock)

    def remaining(self, *, reserve: float = 0.0) -> float:
        """Seconds left, less a reserve for what comes after; never below 0."""
        return max(0.0, self.at - self.clock() - reserve)
