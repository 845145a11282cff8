"""Server-sent events on their way, with a sign of life where none comes for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from chat_core.runtime import Send

SILENCE_SECONDS = 15.0
"""Proxies and clients take a connection that is silent for longer for a dead one."""

_SIGN_OF_LIFE = b": ping\n\n"  # a comment, which every client skips (WHATWG HTML, 9.2.6)


async def send_frames(frames: AsyncIterable[str], send: Send, *, silence: float = SILENCE_SECONDS) -> None:
    """Send each frame as it comes.

    Parameters
    ----------
    silence
        Seconds without a frame after which a comment is sent, and so on.
    """
    # One timer that is late now and then: a timer an event would cost more than writing the event.
    loop = asyncio.get_running_loop()
    last = loop.time()
    timer: asyncio.TimerHandle

    def look() -> None:
        nonlocal last, timer
        if loop.time() - last >= silence:
            last = loop.time()
            send(_SIGN_OF_LIFE)
        timer = loop.call_at(last + silence, look)

    timer = loop.call_later(silence, look)
    try:
        async for frame in frames:
            last = loop.time()
            send(frame.encode())
    finally:
        timer.cancel()
