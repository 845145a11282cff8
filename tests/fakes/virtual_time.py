"""An event loop whose time passes as fast as nothing happens: waits cost nothing and end in their order."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


EPOCH = 1_700_000_000.0


class _JumpingSelector(selectors.SelectSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self.now += timeout
            timeout = 0
        return super().select(timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own, in seconds from 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def wall(self) -> float:
        """Seconds since the epoch."""
        return EPOCH + self.time()


def run_together(loop: VirtualLoop, *work: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run work side by side to its end; an environment that was killed leaves nothing running."""

    async def together() -> list[Any]:
        return list(await asyncio.gather(*work))

    results = loop.run_until_complete(together())
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.sleep(0))
    return results


def run(main: Callable[[Callable[[], float]], Coroutine[Any, Any, T]]) -> T:
    """Run ``main`` with the clock of its loop, in seconds."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main(runner.get_loop().time))
