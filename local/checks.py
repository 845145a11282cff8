"""Whether the services that the environment names can be reached: told when the server starts, not at the first turn.

None of them keeps the server from starting: a model may be started later, and turns go on without Momento. Keys are
never told, nor is what an address may hold beside the host.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.momento import MomentoCredentials

_SECONDS = 4.0
_CALL_SECONDS = 3.0
_OPENAI = "https://api.openai.com/v1"
_MOMENTO = {
    "AUTHENTICATION_ERROR": "refuses the key",
    "PERMISSION_ERROR": "refuses the key",
    "NOT_FOUND_ERROR": "has no cache of the name {cache}",
    "CONNECTION_ERROR": "cannot be reached",
    "SERVER_UNAVAILABLE": "cannot be reached",
    "TIMEOUT_ERROR": "does not answer",
}

T = TypeVar("T")


def host_of(url: str) -> str:
    """Return the host of an address, with its port where it names one.

    Raises
    ------
    ValueError
        If it is no address of a server that speaks HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(url)
    return parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"


def model_complaint(base_url: str) -> str:
    """Tell what is wrong with the model's provider, nothing where it can be reached; no request is sent.

    Parameters
    ----------
    base_url
        See `host_of`; empty for OpenAI's own.
    """
    parts = urlsplit(base_url or _OPENAI)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not parts.path.strip("/"):
        return "its address has no path, where most providers have one such as /v1"
    if parts.scheme in getproxies():  # who stands behind it cannot be told from here
        return ""
    return _within(lambda: _connect(str(parts.hostname), port), otherwise="it does not answer")


def _connect(host: str, port: int) -> str:
    try:
        socket.create_connection((host, port), timeout=_CALL_SECONDS).close()
    except OSError as error:
        return f"it cannot be reached ({error.strerror or 'no answer'}), so requests for the model will be 502"
    return ""


def momento_complaint(credentials: MomentoCredentials, cache: str) -> str:
    """Tell what is wrong with Momento, nothing where the cache can be read: one read tells all of it."""
    return _within(lambda: _read(credentials, cache), otherwise="it does not answer; turns go on without the cache")


def _read(credentials: MomentoCredentials, cache: str) -> str:
    from datetime import timedelta

    from chat_core.errors import CacheUnavailable
    from chat_core.momento import credential_provider

    try:
        provider = credential_provider(credentials)
    except CacheUnavailable:
        return "the key is none that its SDK knows (MOMENTO_API_KEY, MOMENTO_ENDPOINT); turns go on without the cache"

    from momento import CacheClient, Configurations
    from momento.responses.mixins import ErrorResponseMixin

    configuration = Configurations.Laptop.v1().with_client_timeout(timedelta(seconds=_CALL_SECONDS))
    with CacheClient(configuration, provider, timedelta(minutes=1)) as client:
        answer = client.get(cache, "omoide-start")
    if not isinstance(answer, ErrorResponseMixin):
        return ""
    said = _MOMENTO.get(answer.error_code.name, f"answers {answer.error_code.name}").format(cache=cache)
    return f"{provider.cache_endpoint} {said}; turns go on without the cache"


def _within(ask: Callable[[], T], *, otherwise: T) -> T:
    """Ask, but not for ever: names are looked up without a deadline."""
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(ask()), daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return answers[0] if answers else otherwise
