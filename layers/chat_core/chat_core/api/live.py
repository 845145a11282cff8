"""Answers while they are made, as server-sent events. Until the model begins an error has its own status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from chat_core.api.answers import event_stream, json_response
from chat_core.api.errors import error_body, is_fault, unexpected
from chat_core.cache import Completed, Failed, ModelEvent, Opened, follow
from chat_core.observability import Metric, count, logger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from aws_lambda_powertools.event_handler import Response

    from chat_core import errors
    from chat_core.api.streams import StreamForm
    from chat_core.cache import Listener, LiveEvent


class Work(Protocol):
    """Makes an answer, and tells a listener of it on the way, where there is one."""

    def __call__(self, listener: Listener | None = None, /) -> Awaitable[Completed]:
        """Make it."""
        ...


async def answer_in_form(work: Work, form: StreamForm | None) -> Response[Any]:
    """Answer whole, or as a stream.

    Parameters
    ----------
    work
        Makes the answer. As a stream it goes on whether its reader stays or not.
    form
        Of the stream; None for an answer in one.

    Raises
    ------
    ChatError
        If it fails before the model began.
    """
    if form is None:
        return _whole(await work())
    events = follow(work)
    first = await anext(events)
    if isinstance(first, Failed):
        raise first.error
    if isinstance(first, Completed):
        return _whole(first, form)
    return event_stream(_written(events, form), headers=first.headers if isinstance(first, Opened) else {})


def _whole(completed: Completed, form: StreamForm | None = None) -> Response[Any]:
    if form is None or not {"output", "choices"} & completed.answer.keys():  # the dry run of a turn is no reply
        return json_response(completed.answer, headers=completed.headers)
    return event_stream("".join(form.whole(completed.answer)), headers=completed.headers)


async def _written(events: AsyncIterator[LiveEvent], form: StreamForm) -> AsyncIterator[str]:
    try:
        async for event in events:
            if isinstance(event, ModelEvent):
                yield form.told(event.event)
            elif isinstance(event, Completed):
                for frame in form.end(event.answer):
                    yield frame
            elif isinstance(event, Failed):
                for frame in _failure(event.error, form):
                    yield frame
    except Exception as error:
        for frame in _failure(unexpected(error), form):
            yield frame


def _failure(error: errors.ChatError, form: StreamForm) -> list[str]:
    """Write an error that comes after the status; it counts as one with a status does."""
    if is_fault(error):
        count(Metric.FAULTS)
    body = error_body(error)
    logger().warning("stream_failed", code=body["code"])
    return list(form.failure(body))
