"""Errors as the caller sees them: the one place that chooses HTTP statuses, and OpenAI's envelope."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chat_core import errors
from chat_core.api.answers import json_response
from chat_core.observability import logger, where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Response


# The one place that chooses HTTP statuses: error class → status, OpenAI's `type`.
STATUSES: Mapping[type[errors.ChatError], tuple[int, str]] = {
    errors.UnsupportedMediaType: (415, "invalid_request_error"),
    errors.InvalidRequest: (400, "invalid_request_error"),
    errors.NotAuthenticated: (401, "authentication_error"),
    errors.NotFound: (404, "invalid_request_error"),
    errors.ConversationLocked: (409, "conflict_error"),
    errors.IdempotencyInProgress: (409, "conflict_error"),
    errors.VersionConflict: (409, "conflict_error"),
    errors.RequestTooLarge: (413, "invalid_request_error"),
    errors.IdempotencyKeyReused: (422, "invalid_request_error"),
    errors.UpstreamError: (502, "server_error"),
    errors.StoreUnavailable: (503, "server_error"),
    errors.SecretUnavailable: (503, "server_error"),
    errors.UpstreamTimeout: (504, "server_error"),
    errors.DeadlineExceeded: (504, "server_error"),
    errors.CacheMissed: (504, "server_error"),
}


TEXT_LIMIT = 500
"""Characters of a message or a parameter's path."""

# A client's own retry cannot help here: the same would come again, or the turn would be paid twice.
NOT_RETRIED = (
    errors.UpstreamCredentialsRefused,
    errors.UpstreamMisplaced,
    errors.AnswerTooLarge,
    errors.SecretUnavailable,
    errors.DeadlineExceeded,
    errors.CacheMissed,
    errors.VersionConflict,
)


def error_response(error: errors.ChatError) -> Response[str]:
    """Write an error in OpenAI's envelope, with what a client needs to retry rightly."""
    if isinstance(error, errors.UpstreamRejected):
        return json_response({"error": error_body(error)}, status=error.status, headers=error.headers)
    headers: dict[str, str | list[str]] = {}
    if isinstance(error, NOT_RETRIED):
        headers["x-should-retry"] = "false"
    if isinstance(error, errors.Retryable) and error.retry_after_ms is not None:
        headers["retry-after-ms"] = str(error.retry_after_ms)
        headers["retry-after"] = str(math.ceil(error.retry_after_ms / 1000))
    return json_response({"error": error_body(error)}, status=_status(error)[0], headers=headers)


def error_body(error: errors.ChatError) -> dict[str, Any]:
    """Write what OpenAI's envelope has under ``error``."""
    if isinstance(error, errors.UpstreamRejected):
        return dict(error.error)
    param = error.param if error.param is None else _short(error.param)
    return {"message": _short(error.message), "type": _status(error)[1], "param": param, "code": error.code}


def is_fault(error: errors.ChatError) -> bool:
    """Tell an error that is not the caller's."""
    return not isinstance(error, errors.UpstreamRejected) and _status(error)[0] >= 500


def unexpected(error: Exception) -> errors.ChatError:
    """Log an error that nobody expected, by its kind and places, and make one for the caller of it."""
    logger().error("unexpected_error", error=type(error).__name__, at=where(error.__traceback__))
    return errors.ChatError("The service failed; the request may be tried again.")


def _short(text: str) -> str:
    """Cut what may quote a name or a path of the caller's, which can be as long as a body."""
    return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"


def _status(error: errors.ChatError) -> tuple[int, str]:
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500, "server_error"
