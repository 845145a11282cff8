"""An answer while it is made, as events: work that tells of itself, and its reader, who may be slow or gone."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.errors import ChatError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from chat_core.cache.reply import Listener


class Opened(NamedTuple):
    """The model has begun: what follows comes from it.

    Parameters
    ----------
    headers
        What is known of the answer for its HTTP headers.
    """

    headers: Mapping[str, str]


class ModelEvent(NamedTuple):
    """More of the reply: an event of OpenAI's Responses API, or a chunk of a chat completion."""

    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Completed:
    """The answer is whole, and what it tells of is done.

    Parameters
    ----------
    answer
        OpenAI's object with our members.
    headers
        What the answer's HTTP headers tell of it.
    """

    answer: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Failed(NamedTuple):
    """There is no answer, and nothing was done."""

    error: ChatError


LiveEvent = Opened | ModelEvent | Completed | Failed


async def follow(work: Callable[[Listener], Awaitable[Completed]]) -> AsyncIterator[LiveEvent]:
    """Begin work as a task of its own, and yield what it tells; last `Completed` or `Failed`.

    A reader that leaves, or reads slowly, changes nothing: the work goes on to its end. Who is cancelled cancels it.

    Parameters
    ----------
    work
        Makes an answer, and tells of it on the way. What it raises beside `ChatError` comes through.
    """
    queue: asyncio.Queue[LiveEvent | Exception] = asyncio.Queue()
    task = asyncio.ensure_future(_tell_all(work, queue))
    try:
        while True:
            event = await queue.get()
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, Completed | Failed):
                return
    except asyncio.CancelledError:
        task.cancel()
        raise
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            await task


class _Queued:
    """A `Listener` that puts what it hears into a queue."""

    def __init__(self, queue: asyncio.Queue[LiveEvent | Exception]) -> None:
        self._put = queue.put_nowait

    def opened(self, headers: Mapping[str, str]) -> None:
        self._put(Opened(headers))

    def told(self, event: Mapping[str, Any]) -> None:
        self._put(ModelEvent(event))


async def _tell_all(
    work: Callable[[Listener], Awaitable[Completed]], queue: asyncio.Queue[LiveEvent | Exception]
) -> None:
    end: LiveEvent | Exception
    try:
        end = await work(_Queued(queue))
    except ChatError as error:
        end = Failed(error)
    except Exception as error:
        end = error
    queue.put_nowait(end)
