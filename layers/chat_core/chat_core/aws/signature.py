"""Signature Version 4, for calls of one kind: a POST without a query.

AWS General Reference, "Create a signed AWS API request". The key of a day is derived once.
"""

from __future__ import annotations

import hmac
import time
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.aws.credentials import Credentials
    from chat_core.aws.endpoint import Endpoint

_ALGORITHM = "AWS4-HMAC-SHA256"


class Signer:
    """Signs calls of a service.

    Parameters
    ----------
    service
        Its name in signatures.
    endpoint
        Where it is.
    """

    def __init__(self, service: str, endpoint: Endpoint) -> None:
        self._region, self._service = endpoint.region, service
        self._host, self._path = endpoint.host, endpoint.path
        self._derived: tuple[tuple[str, str], bytes] = (("", ""), b"")

    def signed(
        self, headers: Mapping[str, str], body: bytes, credentials: Credentials, seconds: float
    ) -> dict[str, str]:
        """Add the headers that sign a call.

        Parameters
        ----------
        headers
            To be signed, by names in lower case.
        seconds
            Of the call, since the epoch; AWS takes what is up to five minutes off its own clock.
        """
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
        signed = {**headers, "host": self._host, "x-amz-date": stamp}
        if credentials.token:
            signed["x-amz-security-token"] = credentials.token
        names = sorted(signed)
        listed = ";".join(names)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        request = f"POST\n{self._path}\n\n{lines}\n{listed}\n{sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        told = f"{_ALGORITHM}\n{stamp}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._key(credentials.secret_key, stamp[:8]), told.encode(), "sha256").hex()
        credential = f"Credential={credentials.access_key}/{scope}"
        signed["authorization"] = f"{_ALGORITHM} {credential}, SignedHeaders={listed}, Signature={signature}"
        return signed

    def _key(self, secret: str, day: str) -> bytes:
        derived_of, key = self._derived
        if derived_of != (secret, day):
            key = signing_key(secret, day, self._region, self._service)
            self._derived = ((secret, day), key)
        return key


def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """Derive a day's key, for a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
