"""A service of this machine that answers as a test says."""

from __future__ import annotations

import json
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.aws import AwsClient, Connections, Credentials, Endpoint
from chat_core.history.dynamodb.client import DYNAMODB

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
CUT = "cut"
"""For an answer: the connection ends without one."""


@dataclass
class Asked:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class FakeService:
    """Answers each request with the next of what it was given, the last again and again.

    An answer is a status, a body, and perhaps headers; or `CUT`.
    """

    answers: list[Any] = field(default_factory=lambda: [(200, b"{}")])
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    before: Callable[[], object] = lambda: None
    keeps: bool = True

    def next(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away is what tests do."""


def serve(service: FakeService, context: ssl.SSLContext | None = None) -> _Server:
    """Start a service; over TLS, where there is a context."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.asked.append(Asked(self.path, headers, body, self.client_address[1]))
            service.before()
            answer = service.next()
            if answer == CUT:
                self.close_connection = True
                return
            status, told, *more = answer
            self.send_response(status)
            for name, value in {"content-length": str(len(told)), **(more[0] if more else {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)
            self.close_connection = self.close_connection or not service.keeps

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    service.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.fixture
def service() -> Iterator[FakeService]:
    made = FakeService()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(service: FakeService) -> Iterator[AwsClient]:
    endpoint = Endpoint(service.url, "eu-central-1")
    made = AwsClient(DYNAMODB, endpoint, lambda: KEYS, Connections(endpoint))
    yield made
    made.close()
