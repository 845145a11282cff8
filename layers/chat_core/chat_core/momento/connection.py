"""The connection to Momento: its credentials, its breaker, the deadline of each call, and its errors in our words."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from chat_core.errors import CacheUnavailable, ChatError, SecretUnavailable
from chat_core.momento.stub import with_one_stub

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from momento import CacheClientAsync
    from momento.auth import CredentialProvider
    from momento.responses.response import CacheResponse

    from chat_core.momento.breaker import Breaker

MAX_TTL = timedelta(hours=24)
"""Momento's own bound (https://docs.momentohq.com/cache/limits)."""

CONNECT_TIMEOUT = 0.5
"""Seconds that a call may take beyond its own while no answer has come: credentials and a TLS handshake come first."""

_REFRESH_SECONDS = 30.0
_NO_SECRET = "secret"  # noqa: S105 - a reason

_REASONS = {
    "TIMEOUT_ERROR": "timeout",
    "SERVER_UNAVAILABLE": "unavailable",
    "CONNECTION_ERROR": "unavailable",
    "LIMIT_EXCEEDED_ERROR": "limit_exceeded",
    "NOT_FOUND_ERROR": "not_found",
    "AUTHENTICATION_ERROR": "credentials",
    "PERMISSION_ERROR": "credentials",
}

_LOGGER = logging.getLogger(__name__)
_MENDED_BY_HAND = {
    "credentials": "Momento at %s refuses the key for the cache %s.",
    "not_found": "Momento at %s has no cache %s.",
}

Answer = TypeVar("Answer", bound="CacheResponse")


@dataclass(frozen=True, slots=True)
class MomentoCredentials:
    """How to reach Momento.

    Parameters
    ----------
    api_key
        A key of either generation: one of the first holds its endpoint itself.
    endpoint
        The service's, for a key of the second generation.
    local
        ``host:port`` of a server that speaks Momento's protocol in plain text; takes precedence.
    """

    api_key: str = field(default="", repr=False)
    endpoint: str = ""
    local: str = ""


class CredentialsSource(Protocol):
    """Gives the credentials when a connection is made; called in a thread, so it may block."""

    def __call__(self, *, refresh: bool) -> MomentoCredentials:
        """Read the credentials; with ``refresh`` from their origin, since what it gave before was refused."""
        ...


def credential_provider(credentials: MomentoCredentials) -> CredentialProvider:
    """Make the SDK's credentials.

    Raises
    ------
    CacheUnavailable
        If they are not in a form that the SDK knows.
    """
    from momento.auth import CredentialProvider
    from momento.errors import InvalidArgumentException

    try:
        if credentials.local:
            host, _, port = credentials.local.rpartition(":")
            return CredentialProvider.for_momento_local(host, int(port))
        if credentials.endpoint:
            try:
                return CredentialProvider.from_api_key_v2(credentials.api_key, credentials.endpoint)
            except InvalidArgumentException:
                pass  # a key of the first generation beside a superfluous endpoint
        # Reads every token that holds its endpoint, as the deprecated `from_string` does.
        return CredentialProvider.from_disposable_token(credentials.api_key)
    except Exception:
        raise CacheUnavailable("credentials") from None


class MomentoCache:
    """One Momento cache and the client for it, made on first use and kept.

    A client belongs to the event loop that it was made in: under another loop a new one is made, since the old one
    would answer every call with an error. When the credentials are refused the client is given up and the next call
    reads them anew; when they are refused again, calls fail at once until half a minute has passed. Where there are
    none yet, each call looks for them: the cache works as soon as its owner has filled in the secret.

    Parameters
    ----------
    name
        The cache's; it must exist, since Momento's control API is too slow to ask on the way.
    credentials
        See `CredentialsSource`.
    breaker
        Keeps calls from being tried when they fail time and again; None tries each.
    connect_timeout
        Seconds; see `allowance`.
    clock
        Monotonic, in seconds.
    """

    def __init__(
        self,
        name: str,
        credentials: CredentialsSource,
        *,
        breaker: Breaker | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._credentials = credentials
        self.breaker = breaker
        self._connect_timeout = connect_timeout
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: CacheClientAsync | None = None
        self._connecting: asyncio.Task[CacheClientAsync] | None = None
        self._answered: CacheClientAsync | None = None
        self._imported = False
        self._refused = False
        self._host = ""
        self._told: set[str] = set()
        self._refresh_from = float("-inf")

    @property
    def allowance(self) -> float:
        """Seconds that a call may take beyond its own time: until a client was first answered it has to connect."""
        return 0.0 if self._client is not None and self._client is self._answered else self._connect_timeout

    async def call(self, work: Callable[[CacheClientAsync], Awaitable[Answer]], *, timeout: float) -> Answer:
        """Do work with the client and check its answer.

        Parameters
        ----------
        work
            Calls the client once; or more often, with every answer but the last through `unless_error`.
        timeout
            Seconds that all of it may take, and `allowance` more where it has to connect; the SDK's import, which is
            no fault of Momento's, counts for neither. A connection that takes longer is still made, for the next call.

        Raises
        ------
        CacheUnavailable
            If Momento did not answer in time, or refused, or did so time and again and is left alone for a while.
        """
        if self.breaker is None:
            return await self._tried(work, timeout)
        if not self.breaker.allows():
            raise CacheUnavailable("breaker_open")
        try:
            answer = await self._tried(work, timeout)
        except CacheUnavailable as error:
            if error.reason != _NO_SECRET:
                self.breaker.failed()
            raise
        self.breaker.succeeded()
        return answer

    async def _tried(self, work: Callable[[CacheClientAsync], Awaitable[Answer]], timeout: float) -> Answer:
        if not self._imported:
            await asyncio.to_thread(importlib.import_module, "momento")
            self._imported = True
        client = None
        try:
            async with asyncio.timeout(timeout + self.allowance):
                client = await self._connected()
                answer = unless_error(await work(client))
        except TimeoutError:
            raise CacheUnavailable("timeout") from None
        except CacheUnavailable as error:
            if error.reason == "credentials" and client is not None and client is self._client:
                # Calls under way keep the client alive to their end; to close it would cancel them.
                self._client = None
                self._refused = True
            self._warn(error.reason)
            raise
        self._answered = client
        return answer

    def _warn(self, reason: str) -> None:
        """Tell what is the operator's to mend, once: requests go on without the cache and would never say so."""
        if reason in _MENDED_BY_HAND and reason not in self._told:
            self._told.add(reason)
            _LOGGER.warning(_MENDED_BY_HAND[reason], self._host or "no address", self.name)

    async def aclose(self) -> None:
        """Close the connection; a later call makes a new one."""
        client, connecting = self._client, self._connecting
        self._client = self._connecting = None
        if self._loop is not asyncio.get_running_loop():
            return
        if connecting is not None:
            connecting.cancel()
        if client is not None:
            await client.__aexit__(None, None, None)

    async def _connected(self) -> CacheClientAsync:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._client, self._connecting = loop, None, None
        if self._client is not None:
            return self._client
        if self._connecting is None:
            self._connecting = loop.create_task(self._connect())
        return await asyncio.shield(self._connecting)

    async def _connect(self) -> CacheClientAsync:
        try:
            # In a thread: a secret may have to be fetched.
            provider = await asyncio.to_thread(self._provider, refresh=self._may_refresh())
        except CacheUnavailable as error:
            self._refused = error.reason != _NO_SECRET
            raise
        else:
            from momento import CacheClientAsync, Configurations

            self._host = provider.cache_endpoint
            self._client = with_one_stub(CacheClientAsync(Configurations.Lambda.latest(), provider, MAX_TTL))
            self._refused = False
            return self._client
        finally:
            self._connecting = None

    def _may_refresh(self) -> bool:
        """Tell whether the credentials are to be read anew; raise where that was tried a moment ago."""
        if self._refused:
            if self._clock() < self._refresh_from:
                raise CacheUnavailable("credentials")
            self._refresh_from = self._clock() + _REFRESH_SECONDS
        return self._refused

    def _provider(self, *, refresh: bool) -> CredentialProvider:
        try:
            credentials = self._credentials(refresh=refresh)
        except SecretUnavailable:
            raise CacheUnavailable(_NO_SECRET) from None
        except ChatError:
            raise CacheUnavailable("credentials") from None
        return credential_provider(credentials)


def unless_error(answer: Answer) -> Answer:
    """Give an answer of the SDK's back unless it is an error, which the SDK returns instead of raising it.

    Raises
    ------
    CacheUnavailable
        If it is one.
    """
    from momento.responses.mixins import ErrorResponseMixin

    if isinstance(answer, ErrorResponseMixin):
        raise CacheUnavailable(_REASONS.get(answer.error_code.name, "error"))
    return answer
