"""A dev server with the fake application, and how to speak to it."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.dev_server import RunningServer, running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PATIENCE = 60.0
JSON = {"Content-Type": "application/json"}


@contextmanager
def serving(world: Path, env: Mapping[str, str], *args: str) -> Iterator[RunningServer]:
    arguments = ["--template", str(world / "template.yaml"), *args]
    with running_server({**env, "FAKE_WORLD": str(world)}, arguments) as server:
        yield server


def connect(server: RunningServer) -> Any:
    return closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE))


def ask(
    server: RunningServer,
    path: str,
    body: bytes = b"{}",
    headers: Mapping[str, str] = JSON,
    method: str = "POST",
) -> tuple[int, http.client.HTTPMessage, Any]:
    with connect(server) as connection:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())


def tell(server: RunningServer) -> dict[str, Any]:
    status, _, told = ask(server, "/v1/do/tell")
    assert status == 200, told
    result: dict[str, Any] = told
    return result


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)
