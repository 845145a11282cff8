"""Momento, the model and AWS for the handlers: those that the environment names, an embedded one for each other."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from local.checks import host_of, model_complaint, momento_complaint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from local.momento import EmbeddedMomento

# Streamed words are to be seen coming.
_TOKEN_SECONDS = 0.025
FAKE_API_KEY = "sk-fake-offline-stand-in"


class StartError(Exception):
    """The dev server cannot start; the message is for the person who started it."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that is ready.

    Parameters
    ----------
    title, description
        For the person: what it is, and which one, or what is wrong with it.
    embedded
        Whether it lives in this process and ends with it.
    variables
        How handlers reach it: environment variables to set, or, where None, to take away.
    momento
        The embedded Momento, where it is that.
    """

    title: str
    description: str
    embedded: bool
    variables: Mapping[str, str | None]
    momento: EmbeddedMomento | None = None


def start_all(starts: Iterable[Callable[[], Service]]) -> list[Service]:
    """Start services side by side and return them in this order.

    Raises
    ------
    StartError
        If one cannot be had.
    """
    with ThreadPoolExecutor() as threads:
        return [started.result() for started in [threads.submit(start) for start in starts]]


def start_momento(environment: Mapping[str, str], *, port: int = 0) -> Service:
    """Give Momento, with the cache ``CACHE_NAME`` where it is a local one.

    Parameters
    ----------
    port
        Of the embedded one, if nothing else listens there; 0 for any.

    Raises
    ------
    StartError
        If a local Momento does not create the cache.
    """
    named = named_by(environment, "MOMENTO_LOCAL", "MOMENTO_API_KEY", "MOMENTO_SECRET_ID")
    address = environment.get("MOMENTO_LOCAL", "")
    variables = {}
    momento = None
    where = ""
    if named is None:
        momento = _start_embedded(port)
        where = f" (port {port} is in use)" if port not in (0, momento.port) else ""
        address = f"127.0.0.1:{momento.port}"
        variables["MOMENTO_LOCAL"] = address
    complaint = ""
    cache = environment.get("CACHE_NAME") or "omoide"
    if address:
        _create_cache(address, cache)
    elif named == "MOMENTO_API_KEY":
        complaint = _ask_momento(environment, cache)
    described = _described(named, f"on {address}{where}", complaint)
    return Service("Momento", described, named is None, variables, momento)


def start_model(environment: Mapping[str, str]) -> Service:
    """Give the model's provider; one without a key of its own, such as a model on this machine, gets a fake one.

    Raises
    ------
    StartError
        If ``OPENAI_BASE_URL`` is no address.
    """
    named = named_by(environment, "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_SECRET_ID")
    variables = {}
    where = complaint = ""
    base_url = environment.get("OPENAI_BASE_URL", "")
    if named is None:
        from local.model.server import StandInModel

        model = StandInModel()
        model.token = _TOKEN_SECONDS
        model.start()
        where = f"stand-in at {model.base_url}; no real model answers"
        variables["OPENAI_BASE_URL"] = model.base_url
    else:
        where = _host(base_url) if base_url else ""
        complaint = model_complaint(base_url)
    if named_by(environment, "OPENAI_API_KEY", "OPENAI_SECRET_ID") is None:
        variables["OPENAI_API_KEY"] = FAKE_API_KEY
    return Service("Model", _described(named, where, complaint), named is None, variables)


def named_by(environment: Mapping[str, str], *names: str) -> str | None:
    """Return the first of these variables that is set and not empty."""
    return next((name for name in names if environment.get(name)), None)


def _described(named: str | None, where: str, complaint: str) -> str:
    if named is None:
        return f"embedded, {where}"
    which = f"the one that {named} names"
    if named == "OPENAI_BASE_URL":
        which = f"{which}, {where}"
    return f"{which}: {complaint}" if complaint else which


def _host(base_url: str) -> str:
    try:
        return host_of(base_url)
    except ValueError:
        raise StartError("OPENAI_BASE_URL must be an address such as https://api.openai.com/v1.") from None


def _ask_momento(environment: Mapping[str, str], cache: str) -> str:
    from chat_core.momento import MomentoCredentials

    credentials = MomentoCredentials(environment["MOMENTO_API_KEY"], environment.get("MOMENTO_ENDPOINT", ""))
    return momento_complaint(credentials, cache)


def is_free(port: int) -> bool:
    """Tell whether nothing listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has just ended is no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _start_embedded(port: int) -> EmbeddedMomento:
    from local.momento import EmbeddedMomento

    # Asked first: gRPC writes a line of its own about a port that it does not get.
    if is_free(port):
        momento = EmbeddedMomento(port)
        with suppress(RuntimeError):
            momento.start()
            return momento
    momento = EmbeddedMomento()
    momento.start()
    return momento


def _create_cache(address: str, name: str) -> None:
    from momento import CacheClient, Configurations, CredentialProvider
    from momento.responses import CreateCache

    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdigit()):
        raise StartError("MOMENTO_LOCAL must be host:port.")
    provider = CredentialProvider.for_momento_local(host, int(port))
    with CacheClient(Configurations.Laptop.v1(), provider, timedelta(minutes=1)) as client:
        response = client.create_cache(name)
    if isinstance(response, CreateCache.Error):
        message = f"The Momento at {address} did not create the cache {name}: {response.error_code.name}."
        raise StartError(message)
