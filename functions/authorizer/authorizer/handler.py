"""The Lambda authorizer: one credential in, who it is out."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from authorizer.api_keys import is_api_key
from authorizer.caller import Caller, NotAuthenticated, policy
from authorizer.issuers import Issuers, parse_issuers
from authorizer.key_table import KeyTable

REFUSED = "Unauthorized"
"""The one message that API Gateway answers with 401; any other is 500."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What an environment keeps."""

    keys: KeyTable
    issuers: Issuers


@cache
def parts() -> Parts:
    """Put an environment together from its variables."""
    return Parts(KeyTable(os.environ["HISTORY_TABLE"]), Issuers(parse_issuers(os.environ.get("ISSUERS", ""))))


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer API Gateway's REQUEST event with a policy for the caller's stage.

    Raises
    ------
    Exception
        ``Unauthorized`` where the credential names nobody.
    """
    try:
        return policy(_caller(_credential(event)), event["methodArn"])
    except NotAuthenticated:
        raise Exception(REFUSED) from None  # noqa: TRY002 - the gateway reads the message alone


def _caller(credential: str) -> Caller:
    if is_api_key(credential):
        key = parts().keys.find(credential)
        caller = key.caller(time.time()) if key else None
        if caller is None:
            raise NotAuthenticated
        return caller
    return parts().issuers.caller(credential)


def _credential(event: dict[str, Any]) -> str:
    """Read ``Authorization: Bearer …``, the scheme in any case (RFC 9110, 11.1), from the one such header."""
    values = [
        value
        for name, several in (event.get("multiValueHeaders") or {}).items()
        if name.lower() == "authorization"
        for value in several
    ]
    scheme, _, credential = values[0].strip().partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not credential.strip():
        raise NotAuthenticated
    return credential.strip()
