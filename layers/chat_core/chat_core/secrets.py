"""Keys kept in AWS Secrets Manager."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from chat_core.errors import SecretUnavailable
from chat_core.observability import logger

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


def _text(secret_id: str, *, refresh: bool) -> str:
    from aws_lambda_powertools.utilities import parameters
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    try:
        return str(parameters.get_secret(secret_id, max_age=_MAX_AGE, force_fetch=refresh))
    except GetParameterError as error:
        # botocore's own error has a code of AWS: ResourceNotFoundException, AccessDeniedException.
        answer = getattr(error.__context__, "response", {})
        code = answer.get("Error", {}).get("Code") or type(error.__context__).__name__
        message = f"Secrets Manager answers {code}"
        raise _Unusable(message) from None


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
