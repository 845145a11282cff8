"""The edge that both functions share: who calls, what the body says, and what an error looks like outside."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import math
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Request, Response

from chat_core import errors, event_loop, timing
from chat_core.observability import Metric, count, logger, where
from chat_core.ports import IdempotencyKey
from chat_core.requests import STREAM_MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

USER_LIMIT = 256
IDEMPOTENCY_KEY_LIMIT = 255
ANSWER_RESERVE = 0.25
"""Seconds at the end of an invocation for the answer's way out."""

# The one place that chooses HTTP statuses: error class → status, OpenAI's `type`.
STATUSES: Mapping[type[errors.ChatError], tuple[int, str]] = {
    errors.InvalidRequest: (400, "invalid_request_error"),
    errors.NotAuthenticated: (401, "authentication_error"),
    errors.NotFound: (404, "invalid_request_error"),
    errors.ConversationLocked: (409, "conflict_error"),
    errors.IdempotencyInProgress: (409, "conflict_error"),
    errors.RequestTooLarge: (413, "invalid_request_error"),
    errors.IdempotencyKeyReused: (422, "invalid_request_error"),
    errors.UpstreamError: (502, "server_error"),
    errors.StoreUnavailable: (503, "server_error"),
    errors.UpstreamTimeout: (504, "server_error"),
    errors.DeadlineExceeded: (504, "server_error"),
    errors.CacheMissed: (504, "server_error"),
}
# A client's own retry cannot help here: the same would come again, or the turn would be paid twice.
NOT_RETRIED = (errors.UpstreamCredentialsRefused, errors.DeadlineExceeded, errors.CacheMissed)


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


def current_user(request: Request) -> str:
    """Tell whose request this is: the scope of everything that it may read or write.

    From the authorizer's claims on the server, never from the request itself.

    Raises
    ------
    NotAuthenticated
        If there are no claims, or a ``sub`` that no key may hold.
    """
    authorizer = request.resolved_event.raw_event.get("requestContext", {}).get("authorizer") or {}
    claims = authorizer.get("claims") if isinstance(authorizer, dict) else None
    user = claims.get("sub") if isinstance(claims, dict) else None
    if not isinstance(user, str) or not 0 < len(user) <= USER_LIMIT or not user.isprintable() or user != user.strip():
        raise errors.NotAuthenticated("There is no user behind this request. Send the user's token as the API key.")
    return user


def json_body(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object.

    Raises
    ------
    InvalidRequest
        If it is not UTF-8, no JSON (RFC 8259: so no NaN), no object, or holds half of a surrogate pair.
    """
    event = request.resolved_event.raw_event
    text = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            text = base64.b64decode(text, validate=True).decode()
        text.encode()
    except (binascii.Error, UnicodeError):
        raise errors.InvalidRequest("The body is not UTF-8.", code="invalid_encoding") from None
    body = parse_json(text)
    if not isinstance(body, dict):
        raise errors.InvalidRequest("The body must be a JSON object.", code="invalid_json")
    return body


def json_body_or_empty(request: Request) -> dict[str, Any]:
    """Read the body as a JSON object; no body is an empty one."""
    return json_body(request) if request.resolved_event.raw_event.get("body") else {}


def parse_json(text: str) -> Any:
    """Parse JSON as RFC 8259 has it.

    Raises
    ------
    InvalidRequest
        If it is no JSON, holds a number that no double can, or text that is not Unicode.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise errors.InvalidRequest("The body is not valid JSON.", code="invalid_json") from None
    if "\\u" in text and (path := _surrogate(value, "")) is not None:
        raise errors.InvalidRequest(
            "A text holds half of a surrogate pair, which is not Unicode.", param=path or None, code="invalid_encoding"
        )
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _surrogate(value: object, path: str) -> str | None:
    if isinstance(value, str):
        return None if value.isascii() or _encodable(value) else path
    if isinstance(value, dict):
        children = [(f"{path}.{name}" if path else name, (name, child)) for name, child in value.items()]
        for inner, (name, child) in children:
            if not _encodable(name):
                return path
            if (found := _surrogate(child, inner)) is not None:
                return found
    elif isinstance(value, list):
        for place, child in enumerate(value):
            if (found := _surrogate(child, f"{path}[{place}]")) is not None:
                return found
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def header(request: Request, name: str) -> str | None:
    """Read a request header by its name in lower case; repeated ones are joined as RFC 9110 5.3 has it."""
    event = request.resolved_event.raw_event
    for found, values in (event.get("multiValueHeaders") or {}).items():
        if found.lower() == name and values:
            return ", ".join(values)
    for found, value in (event.get("headers") or {}).items():
        if found.lower() == name:
            return str(value)
    return None


def to_json(value: object) -> str:
    """Write JSON, compact, with text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def json_response(
    body: object, *, status: int = 200, headers: Mapping[str, str | list[str]] | None = None
) -> Response[str]:
    """Make an answer that no cache in front may keep."""
    return Response(
        status_code=status,
        content_type="application/json",
        body=to_json(body),
        headers={"Cache-Control": "private, no-store", **(headers or {})},
    )


def event_stream(frames: Iterable[str], *, headers: Mapping[str, str | list[str]] | None = None) -> Response[str]:
    """Make an answer of server-sent events, whole in one body, that no cache in front may keep."""
    return Response(
        status_code=200,
        content_type="text/event-stream; charset=utf-8",
        body="".join(frames),
        headers={"Cache-Control": "private, no-store", **(headers or {})},
    )


def error_response(error: errors.ChatError) -> Response[str]:
    """Write an error in OpenAI's envelope, with what a client needs to retry rightly."""
    if isinstance(error, errors.UpstreamRejected):
        return json_response({"error": dict(error.error)}, status=error.status, headers=error.headers)
    status, kind = _status(error)
    headers: dict[str, str | list[str]] = {}
    if isinstance(error, NOT_RETRIED):
        headers["x-should-retry"] = "false"
    if isinstance(error, errors.Retryable) and error.retry_after_ms is not None:
        headers["retry-after-ms"] = str(error.retry_after_ms)
        headers["retry-after"] = str(math.ceil(error.retry_after_ms / 1000))
    body = {"message": error.message, "type": kind, "param": error.param, "code": error.code}
    return json_response({"error": body}, status=status, headers=headers)


def _status(error: errors.ChatError) -> tuple[int, str]:
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500, "server_error"


def idempotency_key(request: Request) -> IdempotencyKey | None:
    """Read ``Idempotency-Key``: 1 to 255 visible ASCII characters, unique per user and route.

    Raises
    ------
    InvalidRequest
        If it is of any other form.
    """
    key = header(request, "idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= IDEMPOTENCY_KEY_LIMIT or not all("!" <= character <= "~" for character in key):
        message = f"The header Idempotency-Key must be 1 to {IDEMPOTENCY_KEY_LIMIT} visible ASCII characters."
        raise errors.InvalidRequest(message, param="Idempotency-Key", code="invalid_idempotency_key")
    return IdempotencyKey(route=f"{request.method} {request.route}", key=key)


def retry_count(request: Request) -> int:
    """Read how often OpenAI's SDK has sent this request before."""
    text = header(request, "x-stainless-retry-count") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def fingerprint(body: Mapping[str, Any]) -> str:
    """Tell a request's body apart from every other: SHA-256 of its JSON with sorted names, hex.

    Whether it is answered as a stream is left out: that is the same answer in another form.
    """
    asked = {name: value for name, value in body.items() if name not in STREAM_MEMBERS}
    text = json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


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
