"""Work that tells of itself, and its reader: slow, gone, or cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.cache import Completed, Failed, ModelEvent, Opened, follow
from chat_core.errors import UpstreamError
from tests.fakes import virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from chat_core.cache import Listener


class Work:
    """Tells of an event a second, and notes what becomes of it."""

    def __init__(self, *, events: int = 3, end: Exception | None = None) -> None:
        self.events = events
        self.end = end
        self.ended = ""

    async def __call__(self, listener: Listener) -> Completed:
        try:
            for number in range(self.events):
                await asyncio.sleep(1)
                if number == 0:
                    listener.opened({"X-Cache": "MISS"})
                listener.told({"number": number})
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        self.ended = "done"
        if self.end is not None:
            raise self.end
        return Completed({"whole": True})


def run(main: Callable[[Callable[[], float]], Coroutine[Any, Any, None]]) -> None:
    virtual_time.run(main)


def test_a_reader_hears_all_as_it_comes() -> None:
    async def main(clock: Callable[[], float]) -> None:
        heard = [(clock(), event) async for event in follow(Work(events=2))]
        assert heard == [
            (1, Opened({"X-Cache": "MISS"})),
            (1, ModelEvent({"number": 0})),
            (2, ModelEvent({"number": 1})),
            (3, Completed({"whole": True})),
        ]

    run(main)


def test_a_slow_reader_delays_nothing() -> None:
    async def main(clock: Callable[[], float]) -> None:
        work = Work(events=5)
        async for _ in follow(work):
            await asyncio.sleep(10)
            assert work.ended == "done"

    run(main)


def test_work_goes_on_to_its_end_when_its_reader_leaves() -> None:
    async def main(clock: Callable[[], float]) -> None:
        work = Work()
        events = follow(work)
        await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
        assert (work.ended, clock()) == ("done", 4)

    run(main)


def test_who_is_cancelled_cancels_the_work() -> None:
    async def main(clock: Callable[[], float]) -> None:
        work = Work(events=9)
        with pytest.raises(TimeoutError):  # noqa: PT012 - it is the time that is over
            async with asyncio.timeout(2.5):
                async for _ in follow(work):
                    pass
        assert (work.ended, clock()) == ("cancelled", 2.5)

    run(main)


def test_an_error_of_ours_is_the_last_event_and_any_other_is_raised() -> None:
    async def main(clock: Callable[[], float]) -> None:
        error = UpstreamError("broke off")
        assert [event async for event in follow(Work(end=error))][-1] == Failed(error)
        with pytest.raises(ZeroDivisionError):
            async for _ in follow(Work(end=ZeroDivisionError())):
                pass

    run(main)
