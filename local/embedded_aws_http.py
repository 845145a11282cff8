"""HTTP/1.1 for the embedded AWS: a thread per connection that stays open, a head read at once, an answer in one write.

What http.server and werkzeug do for each request costs more than DynamoDB's answer.
"""

from __future__ import annotations

import socket
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HOST = "127.0.0.1"
_MOST_HEAD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class AwsRequest:
    """A request as it came: the headers' names in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class AwsAnswer:
    """What goes back; the length is not among the headers."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class AwsHttpServer(ThreadingTCPServer):
    """A server on 127.0.0.1 that asks ``answer`` for each request's answer.

    Parameters
    ----------
    port
        0 takes a free one.

    Raises
    ------
    OSError
        If the port is taken.
    """

    allow_reuse_address = True
    block_on_close = False
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[AwsRequest], AwsAnswer]) -> None:
        super().__init__((HOST, port), _Connection)
        self.port: int = self.server_address[1]
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    def serve(self) -> None:
        """Begin to answer, in a thread of its own."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection: it ends with the server."""
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection, which has ended."""
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Take no more connections, and end those that are open."""
        self.shutdown()
        self.server_close()
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of what broke a connection, unless the client went away."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc()


class _Connection(StreamRequestHandler):
    disable_nagle_algorithm = True
    server: AwsHttpServer

    def handle(self) -> None:
        while line := self.rfile.readline(_MOST_HEAD_BYTES):
            if line in (b"\r\n", b"\n"):  # RFC 9112 2.2: some stand before a request
                continue
            try:
                method, target, version = line.decode("latin-1").split()
                request = AwsRequest(method, target, headers := self._headers(), self._body(headers))
            except ValueError:
                self._write(AwsAnswer(HTTPStatus.BAD_REQUEST, {}, b""), closing=True)
                return
            closing = version == "HTTP/1.0" or headers.get("connection", "").lower() == "close"
            self._write(self.server.answer(request), closing=closing, bodiless=method == "HEAD")
            if closing:
                return

    def _headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        left = _MOST_HEAD_BYTES
        while (line := self.rfile.readline(left)) not in (b"\r\n", b"\n"):
            left -= len(line)
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or left <= 0:
                raise ValueError(line)
            found[name.lower()] = value.strip()
        return found

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            raise ValueError(headers["transfer-encoding"])  # AWS's clients know the length
        length = int(headers.get("content-length") or 0)
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise ConnectionAbortedError
        return body

    def _write(self, answer: AwsAnswer, *, closing: bool, bodiless: bool = False) -> None:
        lines = [f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, '')}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines += [f"Content-Length: {len(answer.body)}", *(["Connection: close"] if closing else []), "", ""]
        head = "\r\n".join(lines).encode("latin-1")
        self.wfile.write(head if bodiless else head + answer.body)


_REASONS = {int(status): status.phrase for status in HTTPStatus}
