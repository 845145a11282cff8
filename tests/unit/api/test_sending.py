from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from chat_core.api.sending import send_frames
from tests.fakes.virtual_time import run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PING = b": ping\n\n"


def sent(*pauses: float, silence: float = 15.0) -> list[Any]:
    """Send a frame after each pause, and return what left, with the time of each."""
    left: list[Any] = []

    async def frames() -> AsyncIterator[str]:
        for number, pause in enumerate(pauses):
            await asyncio.sleep(pause)
            yield f"data: {number}\n\n"

    async def all_of_it() -> None:
        loop = asyncio.get_running_loop()
        await send_frames(frames(), lambda part: left.append((loop.time(), part)), silence=silence)
        await asyncio.sleep(100)  # nothing may come behind the end

    run(lambda _: all_of_it())
    return left


def test_frames_leave_as_they_come() -> None:
    assert sent(0, 1, 14.9) == [(0, b"data: 0\n\n"), (1, b"data: 1\n\n"), (15.9, b"data: 2\n\n")]


def test_a_silence_is_broken_every_fifteen_seconds_and_counted_from_the_last_frame() -> None:
    left = sent(40, 10, 20)
    assert [(round(at, 3), part) for at, part in left] == [
        (15, PING),
        (30, PING),
        (40, b"data: 0\n\n"),
        (50, b"data: 1\n\n"),
        (65, PING),
        (70, b"data: 2\n\n"),
    ]
