"""Whose request it is."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Request

from chat_core.errors import NotAuthenticated

USER_LIMIT = 256


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
        raise NotAuthenticated("There is no user behind this request. Send the user's token as the API key.")
    return user
