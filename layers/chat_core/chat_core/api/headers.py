"""What a request's headers say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.errors import InvalidRequest
from chat_core.history import IdempotencyKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Request


IDEMPOTENCY_KEY_LIMIT = 255


def header(request: Request, name: str) -> str | None:
    """Read a request header by its name in lower case; repeated ones are joined as RFC 9110 5.3 has it."""
    return event_header(request.resolved_event.raw_event, name)


def event_header(event: Mapping[str, Any], name: str) -> str | None:
    """Read a header of API Gateway's event: see `header`."""
    for found, values in (event.get("multiValueHeaders") or {}).items():
        if found.lower() == name and (given := [str(value) for value in values or () if value is not None]):
            return ", ".join(given)
    for found, value in (event.get("headers") or {}).items():
        if found.lower() == name and value is not None:
            return str(value)
    return None


def idempotency_key(request: Request, user: str) -> IdempotencyKey | None:
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
        raise InvalidRequest(message, param="Idempotency-Key", code="invalid_idempotency_key")
    return IdempotencyKey(user, route=f"{request.method} {request.route}", key=key)


def retry_count(request: Request) -> int:
    """Read how often OpenAI's SDK has sent this request before."""
    text = header(request, "x-stainless-retry-count") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
