"""Errors as the caller sees them: the one place that chooses HTTP statuses, and OpenAI's envelope."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from chat_core import errors
from chat_core.api.answers import json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Response


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
    errors.SecretUnavailable,
    errors.DeadlineExceeded,
    errors.CacheMissed,
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
    param = error.param if error.param is None else _short(error.param)
    body = {"message": _short(error.message), "type": kind, "param": param, "code": error.code}
    return json_response({"error": body}, status=status, headers=headers)


def _short(text: str) -> str:
    """Cut what may quote a name or a path of the caller's, which can be as long as a body."""
    return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1]}…"


def _status(error: errors.ChatError) -> tuple[int, str]:
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500, "server_error"
