"""Keys kept in AWS Secrets Manager."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from chat_core.aws import NoAnswer, Refused, Service, connect
from chat_core.errors import SecretUnavailable
from chat_core.observability import logger

if TYPE_CHECKING:
    from chat_core.aws import AwsClient

SECRETS_MANAGER = Service("secretsmanager", "SECRETS_MANAGER", "secretsmanager", "1.1")
_MAX_AGE = 300


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A vendor's key.

    Parameters
    ----------
    api_key
        Visible ASCII characters, at least one.
    endpoint
        Of the vendor's service, where the secret names one.
    """

    api_key: str = field(repr=False)
    endpoint: str = ""


class _Unusable(Exception):
    """The secret holds no key; the message says why, and never what it holds."""


def read_key(secret_id: str, *, refresh: bool = False) -> SecretKey:
    """Read the key that a secret holds, remembered for five minutes.

    Only a usable key is remembered: a secret that is filled in, or put right, works at the next request.

    Parameters
    ----------
    secret_id
        Name or ARN of a secret that is the bare key, or JSON with ``api_key`` and perhaps ``endpoint``.
    refresh
        Ask Secrets Manager again, after a vendor refused what was remembered.

    Raises
    ------
    SecretUnavailable
        If Secrets Manager does not give it, or it holds no key; the log says which secret, and why.
    """
    try:
        return _usable(_text(secret_id, refresh=refresh))
    except _Unusable as remembered:
        reason = str(remembered)
    if not refresh:  # what was remembered may have been put right since
        try:
            return _usable(_text(secret_id, refresh=True))
        except _Unusable as current:
            reason = str(current)
    logger().error("secret_unavailable", secret_id=secret_id, reason=reason)
    raise SecretUnavailable("A key of this service is missing: its owner has to fill in the secret that the log names.")


@dataclass(slots=True)
class _Shelf:
    """What Secrets Manager told, and until when that is believed, by secret."""

    client: AwsClient
    texts: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)


@cache
def shelf() -> _Shelf:
    """Make the environment's one shelf."""
    return _Shelf(connect(SECRETS_MANAGER))


def _text(secret_id: str, *, refresh: bool) -> str:
    try:
        kept = shelf()
        text, until = kept.texts.get(secret_id, ("", 0.0))
        if refresh or time.monotonic() >= until:
            answer = kept.client.call("GetSecretValue", {"SecretId": secret_id})
            text = str(answer.get("SecretString") or "")
            kept.texts[secret_id] = text, time.monotonic() + _MAX_AGE
    except Refused as refused:
        message = f"Secrets Manager answers {refused.code or refused.status}"
        raise _Unusable(message) from None
    except NoAnswer as failure:
        message = f"Secrets Manager does not answer: {failure}"
        raise _Unusable(message) from None
    return text


def _usable(secret: str) -> SecretKey:
    """Take the key out of a secret's text.

    Examples
    --------
    >>> _usable('{"api_key": "fake", "endpoint": "cache.example"}').endpoint
    'cache.example'
    >>> _usable(" fake ").api_key
    'fake'
    """
    try:
        value = json.loads(secret)
    except ValueError:
        value = secret
    if isinstance(value, dict) and "api_key" not in value:
        raise _Unusable("it is JSON without the member api_key")
    members = value if isinstance(value, dict) else {"api_key": value if isinstance(value, str) else secret}
    key, endpoint = (str(members.get(name) or "").strip() for name in ("api_key", "endpoint"))
    if not key:
        raise _Unusable("it is blank")
    if not all("!" <= character <= "~" for character in key):
        raise _Unusable("the key holds a character that no key has")
    return SecretKey(key, endpoint)
