"""Keys kept in AWS Secrets Manager."""

from __future__ import annotations

import json

from chat_core.errors import StoreUnavailable

_MAX_AGE = 300


def get_secret(secret_id: str, *, refresh: bool = False) -> str:
    """Read a secret's text, remembered for five minutes.

    Parameters
    ----------
    secret_id
        Name or ARN.
    refresh
        Ask Secrets Manager again, after a vendor refused what was remembered.

    Raises
    ------
    StoreUnavailable
        If Secrets Manager does not give it.
    """
    from aws_lambda_powertools.utilities import parameters
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    try:
        return str(parameters.get_secret(secret_id, max_age=_MAX_AGE, force_fetch=refresh))
    except GetParameterError:
        raise StoreUnavailable("A secret of this service cannot be read.", code="secret_unavailable") from None


def member(secret: str, name: str) -> str:
    """Take one member of a secret that is a JSON object; a secret of any other form is the value itself.

    Examples
    --------
    >>> member('{"api_key": "fake", "endpoint": "cache.example"}', "endpoint")
    'cache.example'
    >>> member("fake", "api_key")
    'fake'
    """
    try:
        value = json.loads(secret)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return secret.strip() if name == "api_key" else ""
    return str(value.get(name) or "").strip()
