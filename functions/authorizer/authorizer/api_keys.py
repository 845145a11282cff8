"""API keys: drawn once, shown once, and stored as their SHA-256 alone.

A key has 256 random bits, so a plain hash of it tells nothing, and none slower is needed (RFC 9106 is for passwords).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, cast

from authorizer.caller import Caller
from chat_core.keys import api_key_partition_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authorizer.caller import Kind

PREFIX = "omoide_"
KEY = "key"
"""Sort key of a key's row."""

TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""No slash: the user of an app's key is ``{tenant}/{its end user}``, and nobody else's may look like it."""

_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is stored of a key.

    Parameters
    ----------
    digest
        SHA-256 of the key, hex.
    tenant, kind
        See `Caller`.
    name
        What its owner calls it.
    last
        Its last four characters, for lists.
    created_at, expires_at
        Seconds since the epoch; it never expires where the latter is None.
    """

    digest: str
    tenant: str
    kind: Kind
    name: str
    last: str
    created_at: int
    expires_at: int | None = None

    def caller(self, now: float) -> Caller | None:
        """Tell who calls with it; nobody once it has expired."""
        if self.expires_at is not None and now >= self.expires_at:
            return None
        return Caller(self.kind, self.tenant)


def new_key() -> str:
    """Draw a key: ``omoide_`` and 43 characters for 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def is_api_key(credential: str) -> bool:
    """Whether a credential has the form of a key."""
    return _FORM.fullmatch(credential) is not None


def digest_of(key: str) -> str:
    """Name a key without telling it: SHA-256, hex."""
    return sha256(key.encode()).hexdigest()


def row_of(key: ApiKey) -> dict[str, Any]:
    """Write a key as its row; one that expires is removed by the table, too."""
    row: dict[str, Any] = {
        "pk": {"S": api_key_partition_key(key.digest)},
        "sk": {"S": KEY},
        "tenant": {"S": key.tenant},
        "kind": {"S": key.kind},
        "name": {"S": key.name},
        "last": {"S": key.last},
        "created_at": {"N": str(key.created_at)},
    }
    if key.expires_at is not None:
        row["expires_at"] = {"N": str(key.expires_at)}
    return row


def read_row(row: Mapping[str, Any]) -> ApiKey:
    """Read a key from its row."""
    return ApiKey(
        digest=row["pk"]["S"].partition("#")[2],
        tenant=row["tenant"]["S"],
        kind=cast("Literal['user', 'app']", row["kind"]["S"]),
        name=row.get("name", {}).get("S", ""),
        last=row.get("last", {}).get("S", ""),
        created_at=int(row["created_at"]["N"]),
        expires_at=int(row["expires_at"]["N"]) if "expires_at" in row else None,
    )
