"""The dev server, put together: services, the functions' environments, the gateway, HTTP."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from local.application import read_application
from local.authorizer import Authorizer
from local.aws import start_aws
from local.cloudformation import TemplateError
from local.cors import ORIGIN
from local.gateway import Gateway
from local.guard import allowed_origins
from local.http_server import HOST, HttpServer
from local.invocation import FunctionFailed
from local.keys import first_keys
from local.page import Front
from local.pool import FunctionPool
from local.services import Service, StartError, is_free, start_all, start_model, start_momento
from local.triggers import Triggers

if TYPE_CHECKING:
    from pathlib import Path

    from local.application import Application, Function
    from local.rest_api import AuthorizedBy

# The vendors' clients, and the variable that tells a function of the service.
CLIENTS = {"momento": "MOMENTO_LOCAL", "httpx2": "OPENAI_BASE_URL"}


class Server:
    """Everything that ``python -m local`` runs.

    Parameters
    ----------
    template
        The SAM template.
    port
        0 takes a free one.
    environments
        How many environments a function may have.
    by_keys
        Whether the template's authorizer stands before the routes, which asks for an API key or a token; else the
        request names its user.
    """

    def __init__(self, template: Path, *, port: int, environments: int, by_keys: bool = False) -> None:
        self._by_keys = by_keys
        self._template = template
        self._port = port
        self._environments = environments
        self._pools: dict[str, FunctionPool] = {}
        self._triggers: Triggers | None = None

    def start(self) -> None:
        """Start all of it, and tell of it line by line.

        Raises
        ------
        StartError
            If something is missing or taken.
        """
        try:
            origins = allowed_origins(os.environ.get("ALLOWED_ORIGINS", ""))
            application = read_application(self._template, {"AllowedOrigin": ORIGIN if origins else ""})
        except TemplateError as error:
            raise StartError(str(error)) from error
        http = _listen(self._port, origins)
        _say(f"Omoide starts from {self._template.name} …")
        services = self._start_services(application)
        if not self._by_keys:
            application = _without_authorizer(application)
        for function in application.functions:
            variables = _variables(function, services)
            ahead = [module for module, variable in CLIENTS.items() if variable in function.environment]
            self._pools[function.name] = FunctionPool(function, variables, maximum=self._environments, ahead=ahead)
        with ThreadPoolExecutor() as threads:
            list(threads.map(_warm, self._pools, self._pools.values()))
        http.serve(self._front(application, services, origins))
        self._triggers = Triggers(application, self._pools, services[-1], say=_say)
        self._triggers.start()
        _say(f"  {'Page':<8} http://{HOST}:{http.server_port}/")
        if application.authorizer is not None:
            self._tell_keys(application.authorizer, services[-1])
        _say(f"Omoide is ready: http://{HOST}:{http.server_port}/v1  (Ctrl-C ends it)")

    def stop(self) -> None:
        """Kill the environments; all else ends with the process."""
        if self._triggers is not None:
            self._triggers.stop()
        for pool in list(self._pools.values()):
            pool.stop()

    def _front(self, application: Application, services: list[Service], origins: frozenset[str]) -> Front:
        authorizer = None
        momento = next((service.momento for service in services if service.momento), None)
        if application.authorizer is not None:
            authorizer = Authorizer(self._pools[application.authorizer.function], application.authorizer.seconds)
            momento = None  # what it holds is told by a user's name alone
        return Front(Gateway(application, self._pools, origins=origins, authorizer=authorizer), momento)

    def _tell_keys(self, authorizer: AuthorizedBy, aws: Service) -> None:
        if not aws.embedded:
            _say(f"  {'Keys':<8} those of the table")
            return
        table = self._pools[authorizer.function].variables["HISTORY_TABLE"]
        for purpose, key in first_keys(aws.variables, table):
            _say(f"  {'Key':<8} {key} ({purpose})")

    def _start_services(self, application: Application) -> list[Service]:
        services = start_all(
            (
                partial(start_momento, os.environ, port=self._port + 1 if self._port else 0),
                partial(start_model, os.environ),
                partial(start_aws, os.environ, application.tables),
            )
        )
        for service in services:
            _say(f"  {service.title:<8} {service.description}")
        if any(service.embedded for service in services):
            _say("What the embedded ones hold ends with this server.")
        return services


def _without_authorizer(application: Application) -> Application:
    if application.authorizer is None:
        return application
    unused = application.authorizer.function
    kept = tuple(function for function in application.functions if function.name != unused)
    return replace(application, functions=kept, authorizer=None)


def _listen(port: int, origins: frozenset[str]) -> HttpServer:
    try:
        return HttpServer(port, allowed_origins=origins)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} is in use. Stop what listens there, or choose another: make run PORT={_free(port)}"
        else:
            message = f"Port {port} cannot be used: {error.strerror}."
        raise StartError(message) from error


def _free(above: int) -> int:
    """Find a port that is free together with the next one, which the embedded Momento takes; 0 takes any."""
    ports = range(above + 1, min(above + 100, 65_535))
    return next((port for port in ports if is_free(port) and is_free(port + 1)), 0)


def _warm(name: str, pool: FunctionPool) -> None:
    """Start a function's first environment: an import that fails is told now, not when a request comes."""
    try:
        pool.warm()
    except FunctionFailed as failure:
        _say(f"{name}: {failure}. What calls it fails.")


def _variables(function: Function, services: list[Service]) -> dict[str, str]:
    """Give a function its template's variables, over them the person's own, over them what the services need."""
    variables: dict[str, str | None] = {**function.environment, **os.environ}
    for service in services:
        variables |= service.variables
    return {name: value for name, value in variables.items() if value is not None}


def _say(line: str) -> None:
    print(line, flush=True)
