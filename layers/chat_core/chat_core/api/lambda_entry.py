"""From an API Gateway event to its answer: the resolver that a function's routes hang on, and the way through it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from chat_core import errors, timing
from chat_core.api import event_loop
from chat_core.api.answers import to_json
from chat_core.api.cors import cors_headers
from chat_core.api.errors import error_response, unexpected
from chat_core.api.sending import send_frames
from chat_core.observability import Metric, count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from chat_core.runtime import Send

Dependency = TypeVar("Dependency", bound="Callable[[], object]")

ANSWER_RESERVE = 0.25
"""Seconds at the end of an invocation for the answer's way out."""


def parameterless(dependency: Dependency) -> Dependency:
    """Mark a dependency that has no parameters: Powertools would look for them anew at each request.

    By the attribute of `typing.no_type_check`, for which `typing.get_type_hints` tells of none.
    """
    dependency.__no_type_check__ = True  # type: ignore[attr-defined]
    return dependency


def build_app() -> APIGatewayRestResolver:
    """Make a resolver whose every answer, errors included, is in OpenAI's shapes."""
    app = APIGatewayRestResolver(serializer=to_json)

    def route_not_found(_error: Exception) -> Response[str]:
        event = app.current_event.raw_event
        return error_response(errors.NotFound(f"There is no route {event.get('httpMethod')} {event.get('path')}."))

    def unexpected_error(error: Exception) -> Response[str]:
        return error_response(unexpected(error))

    app.not_found(route_not_found)
    app.exception_handler(errors.ChatError)(error_response)
    app.exception_handler(Exception)(unexpected_error)
    return app


def answer(app: APIGatewayRestResolver, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway REST proxy event whole: what `stream` sends, in one."""
    parts: list[Any] = []
    stream(app, event, context, parts.append)
    head, *body = parts
    return {**head, "body": b"".join(body).decode(), "isBase64Encoded": False}


def stream(app: APIGatewayRestResolver, event: dict[str, Any], context: LambdaContext, send: Send) -> None:
    """Answer one API Gateway REST proxy event as the answer comes, on the environment's own event loop.

    The answer carries API Gateway's request id as ``x-request-id``, where OpenAI's SDKs look for it.
    """
    start = time.monotonic()
    timing.start()
    head, begun = event_loop.run(_sent(app, event, context, send))
    count(Metric.REQUESTS)
    if head["statusCode"] >= 500:
        count(Metric.FAULTS)
    logger().info(
        "request",
        method=event.get("httpMethod"),
        route=event.get("resource"),
        status=head["statusCode"],
        duration_ms=round((time.monotonic() - start) * 1000),
        begun_ms=round((begun - start) * 1000),
        request_id=head["multiValueHeaders"]["x-request-id"][0],
    )


async def _sent(
    app: APIGatewayRestResolver, event: dict[str, Any], context: LambdaContext, send: Send
) -> tuple[dict[str, Any], float]:
    """Send an answer, and return its status and headers, and when they left."""
    response = await _resolved(app, event, context)
    headers = response["multiValueHeaders"]
    headers["x-request-id"] = [str((event.get("requestContext") or {}).get("requestId") or "")]
    if spans := timing.server_timing(whole=isinstance(response["body"], str)):
        headers["Server-Timing"] = [spans]
    headers |= cors_headers(event)
    head = {"statusCode": response["statusCode"], "multiValueHeaders": headers}
    send(head)
    begun = time.monotonic()
    body = response["body"]
    if isinstance(body, str):
        send(body.encode())
    elif body is not None:
        await send_frames(body, send)
    return head, begun


async def _resolved(app: APIGatewayRestResolver, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer in time, whatever happens: Lambda would kill the environment, and the gateway answer in its place."""
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_RESERVE
    try:
        async with asyncio.timeout(seconds):
            return await app.resolve_async(event, context)
    except TimeoutError:
        late = error_response(errors.DeadlineExceeded("The request took longer than it may."))
    headers = {"Content-Type": late.content_type, **late.headers}
    return {
        "statusCode": late.status_code,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "body": late.body,
        "isBase64Encoded": False,
    }
