"""From an API Gateway event to its answer: the resolver that a function's routes hang on, and the way through it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from chat_core import errors, timing
from chat_core.api import event_loop
from chat_core.api.answers import to_json
from chat_core.api.errors import error_response
from chat_core.observability import Metric, count, logger, where

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


ANSWER_RESERVE = 0.25
"""Seconds at the end of an invocation for the answer's way out."""


def build_app() -> APIGatewayRestResolver:
    """Make a resolver whose every answer, errors included, is in OpenAI's shapes."""
    app = APIGatewayRestResolver(serializer=to_json)

    def route_not_found(_error: Exception) -> Response[str]:
        return error_response(errors.NotFound("There is no such route."))

    def unexpected(error: Exception) -> Response[str]:
        logger().error("unexpected_error", error=type(error).__name__, at=where(error.__traceback__))
        return error_response(errors.ChatError("The service failed; the request may be tried again."))

    app.not_found(route_not_found)
    app.exception_handler(errors.ChatError)(error_response)
    app.exception_handler(Exception)(unexpected)
    return app


def answer(app: APIGatewayRestResolver, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one API Gateway REST proxy event, on the environment's own event loop.

    The answer carries API Gateway's request id as ``x-request-id``, where OpenAI's SDKs look for it.
    """
    start = time.monotonic()
    timing.start()
    response = event_loop.run(_resolved(app, event, context))
    request_id = str((event.get("requestContext") or {}).get("requestId") or "")
    response["multiValueHeaders"]["x-request-id"] = [request_id]
    if spans := timing.server_timing():
        response["multiValueHeaders"]["Server-Timing"] = [spans]
    count(Metric.REQUESTS)
    if response["statusCode"] >= 500:
        count(Metric.FAULTS)
    logger().info(
        "request",
        method=event.get("httpMethod"),
        route=event.get("resource"),
        status=response["statusCode"],
        duration_ms=round((time.monotonic() - start) * 1000),
        request_id=request_id,
    )
    return response


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
