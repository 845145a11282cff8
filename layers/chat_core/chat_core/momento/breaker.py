"""A circuit breaker: after repeated failures nothing is tried for a while, then one call probes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = 3
OPEN_SECONDS = 10.0


class Breaker:
    """Tells whether a call may be tried; it makes none itself.

    Closed, every call may. After ``failures`` in a row it opens: none may for ``open_seconds``. Then one call may, and
    its end decides: all is well again, or the wait begins anew.

    Parameters
    ----------
    failures
        In a row.
    open_seconds
        How long nothing is tried; also how long a probe may take before another one may.
    clock
        Monotonic, in seconds.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        open_seconds: float = OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._failures = 0
        self._next_try = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether failures have opened it and no call has succeeded since."""
        return self._failures >= self._limit

    def allows(self) -> bool:
        """Tell whether a call may be tried now; what it allows while open is the probe, so ask only to call."""
        if not self.is_open:
            return True
        now = self._clock()
        if now < self._next_try:
            return False
        self._next_try = now + self._open_seconds
        return True

    def succeeded(self) -> None:
        """Take note of a call that was answered."""
        self._failures = 0

    def failed(self) -> None:
        """Take note of a call that was not answered, or refused."""
        self._failures += 1
        if self._failures >= self._limit:
            self._next_try = self._clock() + self._open_seconds
