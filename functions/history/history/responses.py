"""Wire shapes of stored responses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chat_core.errors import InvalidRequest, RequestTooLarge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Request

ANSWER_BYTES = 6_000_000
"""Most bytes of a body as a part of Lambda's answer, where it is a text within JSON; the limit is 6 MiB."""


def replay_query(request: Request) -> tuple[bool, int]:
    """Read whether a response is to be replayed as a stream, and after which of its events.

    Raises
    ------
    InvalidRequest
        If one of the two is not as OpenAI has it.
    """
    query = request.query_parameters or {}
    stream = query.get("stream", "false").lower()
    if stream not in ("true", "false"):
        raise InvalidRequest("`stream` must be true or false.", param="stream")
    after = query.get("starting_after")
    if after is None:
        return stream == "true", -1
    if not (after.isascii() and after.isdigit() and len(after) < 10):
        raise InvalidRequest("`starting_after` must be the sequence number of an event.", param="starting_after")
    return stream == "true", int(after)


def replayed(answer: Mapping[str, Any], *, after: int) -> str:
    """Write a response as the events in which it is streamed, from behind a number on.

    They tell a text five times. Where one answer does not hold that, the last event tells all of it alone, behind those
    of the beginning; each has the number that it has among all.

    Raises
    ------
    RequestTooLarge
        If one answer does not hold that either.
    """
    from chat_core.api.streams import event_frames, response_events

    events = [event for event in response_events(answer) if event["sequence_number"] > after]
    body = "".join(event_frames(events))
    if _is_too_large(body):
        body = "".join(event_frames(event for event in events if "response" in event))
    return check_size(body)


def _is_too_large(body: str) -> bool:
    return 6 * len(body) > ANSWER_BYTES and len(json.dumps(body, ensure_ascii=False).encode()) > ANSWER_BYTES


def check_size(body: str) -> str:
    """Refuse a body that is larger than the platform carries.

    Raises
    ------
    RequestTooLarge
        Telling the way out.
    """
    if _is_too_large(body):
        message = "The response is too large for one answer: page through the items of its conversation."
        raise RequestTooLarge(message, code="response_too_large")
    return body


def deleted_response(name: str) -> dict[str, Any]:
    """Write OpenAI's receipt of a deletion."""
    return {"id": name, "object": "response", "deleted": True}
