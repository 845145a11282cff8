"""An event loop whose time passes at once: whoever sleeps wakes when nobody else has anything to do."""

from __future__ import annotations

import asyncio
from typing import Any

EPOCH = 1_700_000_000.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own, in seconds from 0."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__()

    def time(self) -> float:
        return self.now

    def wall(self) -> float:
        """Seconds since the epoch."""
        return EPOCH + self.now

    def _run_once(self) -> None:
        inner: Any = self
        if not inner._ready and inner._scheduled:
            self.now = max(self.now, inner._scheduled[0]._when)
        inner_run: Any = super()
        inner_run._run_once()
