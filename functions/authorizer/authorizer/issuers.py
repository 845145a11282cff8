"""Tokens that others signed: JSON Web Tokens (RFC 7519) of the issuers that the stack names, the pool being one."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from authorizer.caller import Caller, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt import PyJWKClient

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures by a key pair alone: with a shared secret, whoever checks could sign."""

LEEWAY = 30
"""Seconds that clocks may differ."""

KEYS_SECONDS = 3_600
REFETCH_SECONDS = 60
"""A key id that is not known has the issuer asked again, at most once in this time."""

_TIMEOUT = 3


class IssuerUnavailable(Exception):
    """An issuer's keys cannot be had: whether a token is good is not known."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs tokens, and for whom.

    Parameters
    ----------
    url
        The token's ``iss``.
    audience
        The token's ``aud`` (or, of Cognito's access tokens, ``client_id``).
    name
        Before the subject in the name of the user (``{name}|{subject}``), so that two issuers' subjects are never one
        person, nor an app's end user; empty for the stack's own pool.
    keys
        Where its keys are (RFC 7517); empty: they are found by OpenID Connect Discovery 1.0.
    """

    url: str
    audience: str
    name: str = ""
    keys: str = ""

    def user(self, subject: str) -> str | None:
        """Name the user that a subject is; None where nobody may be called so."""
        if self.name:
            return f"{self.name}|{subject}"
        # It would read as an app's end user.
        return None if "/" in subject else subject


def parse_issuers(text: str) -> tuple[Issuer, ...]:
    """Read issuers as the stack's parameter has them: ``url|audience`` or ``url|audience|keys``, separated by commas.

    The first is the pool.

    Raises
    ------
    ValueError
        If one is not of this form; https is needed but on this machine.
    """
    issuers = []
    for place, one in enumerate(filter(None, (part.strip() for part in text.split(",")))):
        members = one.split("|")
        url, audience, keys = [*members, "", ""][:3]
        if len(members) > 3 or not audience or not _is_address(url) or not (keys == "" or _is_address(keys)):
            message = f"Issuer {place + 1} is neither https://host/path|audience nor that and |https://host/keys."
            raise ValueError(message)
        parts = urlsplit(url)
        name = "" if place == 0 else f"{parts.netloc}{parts.path}".rstrip("/").replace("/", ":")
        issuers.append(Issuer(url, audience, name, keys))
    return tuple(issuers)


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (local and parts.scheme == "http"))


class Issuers:
    """Checks tokens against the issuers' keys, which are fetched when they are first needed.

    Parameters
    ----------
    issuers
        Whose tokens are taken.
    """

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        self._issuers = {issuer.url: issuer for issuer in issuers}
        self._keys: dict[str, PyJWKClient] = {}

    def caller(self, token: str) -> Caller:
        """Tell who a token speaks for.

        Raises
        ------
        NotAuthenticated
            If it is of no issuer, for another audience, expired, or not signed by its issuer.
        IssuerUnavailable
            If the issuer does not hand out its keys.
        """
        import jwt

        issuer = self._claimed(token)
        try:
            key = self._keys_of(issuer).get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                issuer=issuer.url,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except jwt.PyJWKClientConnectionError:
            raise IssuerUnavailable from None
        except (jwt.PyJWTError, ValueError):
            raise NotAuthenticated from None
        user = issuer.user(str(claims["sub"]))
        if user is None or not _is_for(issuer.audience, claims):
            raise NotAuthenticated
        return Caller("user", user)

    def _claimed(self, token: str) -> Issuer:
        """Read who says that he signed it: that alone decides whose keys are asked."""
        import jwt

        try:
            named = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except (jwt.PyJWTError, ValueError):
            raise NotAuthenticated from None
        issuer = self._issuers.get(named) if isinstance(named, str) else None
        if issuer is None:
            raise NotAuthenticated
        return issuer

    def _keys_of(self, issuer: Issuer) -> PyJWKClient:
        from jwt import PyJWKClient

        if issuer.url not in self._keys:
            self._keys[issuer.url] = PyJWKClient(
                issuer.keys or _discovered(issuer.url),
                lifespan=KEYS_SECONDS,
                cooldown_duration=REFETCH_SECONDS,
                timeout=_TIMEOUT,
            )
        return self._keys[issuer.url]


def _is_for(audience: str, claims: dict[str, Any]) -> bool:
    meant = claims.get("aud", claims.get("client_id"))
    return audience in meant if isinstance(meant, list) else audience == meant


def _discovered(issuer: str) -> str:
    """Find where an issuer's keys are (OpenID Connect Discovery 1.0, section 4)."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310 - the stack's own issuers, checked
            found = json.load(answer)
    except (urllib.error.URLError, TimeoutError, ValueError):
        raise IssuerUnavailable from None
    if not isinstance(found, dict) or found.get("issuer") != issuer or not isinstance(found.get("jwks_uri"), str):
        raise IssuerUnavailable
    return str(found["jwks_uri"])
