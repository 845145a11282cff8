"""How long answers are kept to be read, gone on from and replayed."""

from __future__ import annotations

from typing import NamedTuple

RETRY_SECONDS = 86_400
"""How long an answer is kept that nobody is to read: for a retry of its request alone."""


class Keeping(NamedTuple):
    """What is kept.

    Parameters
    ----------
    seconds
        How long.
    on
        Whether answers are kept at all.
    timeout
        Seconds that an answer may wait for being kept.
    """

    seconds: int = 30 * 86_400
    on: bool = True
    timeout: float = 0.3

    def until(self, now: float, *, shown: bool) -> int:
        """Tell when a turn's response expires, in seconds since the epoch."""
        return int(now) + (self.seconds if shown else min(self.seconds, RETRY_SECONDS))
