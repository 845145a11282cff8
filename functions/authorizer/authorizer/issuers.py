"""Tokens that others signed: JSON Web Tokens (RFC 7519) of the issuers that the stack names, the pool being one."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from authorizer.caller import Caller, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jwt import PyJWK, PyJWKClient

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures by a key pair alone: with a shared secret, whoever checks could sign."""

LEEWAY = 30
"""Seconds that clocks may differ."""

KEYS_SECONDS = 3_600
REFETCH_SECONDS = 60
"""A key id that is not known has the issuer asked again, at most once in this time."""

KNOWN_SECONDS = 86_400
"""So long a key is taken that an issuer has handed out, while it cannot be asked again."""

DOWN_SECONDS = 30
"""So long an issuer that has failed is not asked for keys that are known."""

_TIMEOUT = 3
_MOST_KNOWN = 64


class IssuerUnavailable(Exception):
    """An issuer's keys cannot be had: whether a token is good is not known. The gateway answers 503."""

    def __init__(self, issuer: str) -> None:
        super().__init__(f"The issuer {issuer} does not hand out its keys.")


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
    clock
        In seconds.
    """

    def __init__(self, issuers: Iterable[Issuer], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuers = {issuer.url: issuer for issuer in issuers}
        self._clock = clock
        self._keys: dict[str, PyJWKClient] = {}
        self._known: dict[tuple[str, str], tuple[float, PyJWK]] = {}
        self._down_until: dict[str, float] = {}

    def caller(self, token: str) -> Caller:
        """Tell who a token speaks for.

        Raises
        ------
        NotAuthenticated
            If it is of no issuer, for another audience, expired, or not signed by its issuer.
        IssuerUnavailable
            If the issuer does not hand out its keys, and the one that signed is not known of late.
        """
        import jwt

        issuer = self._claimed(token)
        try:
            key = self._key_of(issuer, token)
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                issuer=issuer.url,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
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

    def _key_of(self, issuer: Issuer, token: str) -> PyJWK:
        """Find the key that a token names: of the issuer, or as it is known of late where that cannot be asked."""
        import jwt

        name = (issuer.url, str(jwt.get_unverified_header(token).get("kid")))
        now = self._clock()
        until, known = self._known.get(name, (0.0, None))
        if known is not None and now < min(until, self._down_until.get(issuer.url, 0.0)):
            return known
        try:
            key = self._keys_of(issuer).get_signing_key_from_jwt(token)
        except (IssuerUnavailable, jwt.PyJWKClientConnectionError, jwt.exceptions.PyJWKSetError, OSError, ValueError):
            self._down_until[issuer.url] = now + DOWN_SECONDS
            if known is not None and now < until:
                return known
            raise IssuerUnavailable(issuer.url) from None
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[name] = now + KNOWN_SECONDS, key
        return key

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
    except (OSError, HTTPException, ValueError):
        raise IssuerUnavailable(issuer) from None
    if not isinstance(found, dict) or found.get("issuer") != issuer or not isinstance(found.get("jwks_uri"), str):
        raise IssuerUnavailable(issuer)
    return str(found["jwks_uri"])
