"""Whose request it is."""

# Annotations are no strings here (no `from __future__ import annotations`): Powertools reads them at each request.

from typing import Any

from aws_lambda_powertools.event_handler import Request

from chat_core.api.headers import header
from chat_core.errors import InvalidRequest, NotAuthenticated

USER_LIMIT = 256
END_USER_HEADER = "X-Omoide-User"


def current_user(request: Request) -> str:
    """Tell whose request this is: the scope of everything that it may read or write.

    From the authorizer's answer on the server, never from the request itself; but that an app, which the authorizer
    knows as one, names its end user in the header ``X-Omoide-User``: its users are ``{app}/{end user}``.

    Raises
    ------
    NotAuthenticated
        If there is no such answer, or it names nobody that a key may hold.
    InvalidRequest
        If an app does not say whom it serves.
    """
    found = (request.resolved_event.raw_event.get("requestContext") or {}).get("authorizer")
    authorizer = found if isinstance(found, dict) else {}
    user = _named(authorizer)
    if user is None:
        raise NotAuthenticated("There is no user behind this request. Send the user's token as the API key.")
    if authorizer.get("kind") != "app":
        return user
    end_user = header(request, END_USER_HEADER.lower())
    if end_user is None:
        message = f"An app's key serves its users: name one in the header {END_USER_HEADER}."
        raise InvalidRequest(message, param=END_USER_HEADER, code="missing_required_parameter")
    if not _is_name(end_user) or len(user) + 1 + len(end_user) > USER_LIMIT:
        message = f"The header {END_USER_HEADER} must be a printable name without spaces around it, not too long."
        raise InvalidRequest(message, param=END_USER_HEADER)
    return f"{user}/{end_user}"


def _named(authorizer: dict[str, Any]) -> str | None:
    """Read whom the authorizer names: Cognito's hands on the claims, a Lambda authorizer its own answer."""
    claims = authorizer.get("claims")
    named = claims.get("sub") if isinstance(claims, dict) else authorizer.get("tenant")
    return named if isinstance(named, str) and len(named) <= USER_LIMIT and _is_name(named) else None


def _is_name(text: str) -> bool:
    return bool(text) and text.isprintable() and text == text.strip()
