"""Lambda's side of one environment: the Runtime API, which hands it events and takes its answers as they come.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import re
import select
import socket
import time
from dataclasses import dataclass
from http.client import HTTPMessage, parse_headers
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = "127.0.0.1"
_PREFIX = "/2018-06-01/runtime"
_RESULT = re.compile(rf"{_PREFIX}/invocation/(?P<id>[^/]+)/(?P<kind>response|error)")
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_MODE = "Lambda-Runtime-Function-Response-Mode"
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:"
_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_PIECE_BYTES = 1 << 16


class EnvironmentEnded(Exception):
    """The process is gone, or speaks as no runtime does."""


class RuntimeFailed(Exception):
    """The runtime reported an error; the message is the error's kind.

    Parameters
    ----------
    kind
        The error's class.
    report
        What the runtime says of it, as Lambda's error reports have it; None after an answer that had begun.
    """

    def __init__(self, kind: str, report: Any = None) -> None:
        super().__init__(kind)
        self.report = report


@dataclass(frozen=True, slots=True)
class Event:
    """An event on its way to a handler.

    Parameters
    ----------
    content
        JSON.
    request_id, trace_id
        Of the invocation.
    function
        The function's name.
    timeout
        Seconds until the environment is killed.
    """

    content: bytes
    request_id: str
    trace_id: str
    function: str
    timeout: float


class RuntimeApi:
    """The Runtime API of one environment.

    Waiting for the environment raises `TimeoutError` when the time is over and `EnvironmentEnded` when the process is
    gone. After either it is good for nothing.

    Parameters
    ----------
    lifeline
        A socket whose other end the process holds: it can be read once the process is gone. It is closed here.
    """

    def __init__(self, lifeline: socket.socket) -> None:
        self._lifeline = lifeline
        self._listener = socket.create_server((_HOST, 0))
        self._connections: list[_Connection] = []
        self._asking: _Connection | None = None

    @property
    def address(self) -> str:
        """What Lambda puts into ``AWS_LAMBDA_RUNTIME_API``."""
        return f"{_HOST}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it: a runtime that asks for an event ends."""
        for connection in self._connections:
            connection.close()
        self._listener.close()
        self._lifeline.close()

    def wait(self, timeout: float) -> None:
        """Wait until the runtime asks for an event.

        Raises
        ------
        RuntimeFailed
            If it cannot be initialized.
        """
        if self._asking is not None:
            return
        deadline = time.monotonic() + timeout
        request = self._request(deadline)
        while request.path == f"{_PREFIX}/restore/next":  # SnapStart: here is no snapshot, so it goes on at once
            request.connection.accept()
            request = self._request(deadline)
        if request.path in (f"{_PREFIX}/init/error", f"{_PREFIX}/restore/error"):
            raise request.failure(deadline)
        if request.path != f"{_PREFIX}/invocation/next":
            raise EnvironmentEnded(request.path)
        self._asking = request.connection

    def invoke(self, event: Event) -> Iterator[bytes]:
        """Hand over an event, and yield the answer's pieces as the runtime writes them; all in one if it is whole.

        Raises
        ------
        RuntimeFailed
            If the handler failed, before its answer or in it.
        """
        deadline = time.monotonic() + event.timeout
        self.wait(event.timeout)
        if self._asking is None:
            raise AssertionError
        self._asking.hand_over(event)
        self._asking = None
        request = self._request(deadline)
        result = _RESULT.fullmatch(request.path)
        if result is None or result["id"] != event.request_id:
            raise EnvironmentEnded(request.path)
        if result["kind"] == "error":
            raise request.failure(deadline)
        yield from request.pieces(deadline)
        request.connection.accept()
        if _ERROR_TYPE in request.trailers:
            raise RuntimeFailed(request.trailers[_ERROR_TYPE])

    def _request(self, deadline: float) -> _Request:
        """Wait for a request on any connection. What came before the process ended is read first."""
        while True:
            sources: list[_Connection | socket.socket] = [*self._connections, self._listener, self._lifeline]
            ready = select.select(sources, (), (), max(0.0, deadline - time.monotonic()))[0]
            if not ready:
                raise TimeoutError
            if isinstance(ready[0], _Connection):
                if (request := ready[0].request(deadline)) is not None:
                    return request
                ready[0].close()
                self._connections.remove(ready[0])
            elif ready[0] is self._listener:
                self._connections.append(_Connection(self._listener.accept()[0]))
            else:
                raise EnvironmentEnded


class _Connection:
    """One of the runtime's connections."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = connection.makefile("rb")

    def fileno(self) -> int:
        """Say what to wait for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close it."""
        self._file.close()
        self._socket.close()

    def request(self, deadline: float) -> _Request | None:
        """Read a request up to its body; None at the connection's end."""
        try:
            line = self.line(deadline)
        except EnvironmentEnded:
            return None
        return _Request(self, line.split(" ")[1], parse_headers(self._file))

    def line(self, deadline: float) -> str:
        """Read a line."""
        self._set_timeout(deadline)
        try:
            line = self._file.readline()
        except ConnectionError:
            line = b""
        if not line.endswith(b"\n"):
            raise EnvironmentEnded
        return line.rstrip(b"\r\n").decode("latin-1")

    def headers(self) -> HTTPMessage:
        """Read header lines, or those of the trailers."""
        return parse_headers(self._file)

    def piece(self, most: int, deadline: float) -> bytes:
        """Read what is there, at least a byte."""
        self._set_timeout(deadline)
        try:
            piece = self._file.read1(min(most, _PIECE_BYTES))
        except ConnectionError:
            piece = b""
        if not piece:
            raise EnvironmentEnded
        return piece

    def hand_over(self, event: Event) -> None:
        """Answer who asked for an event."""
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(event.content)),
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + event.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": f"{_ARN}{event.function}",
            "Lambda-Runtime-Trace-Id": event.trace_id,
        }
        lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self._send("\r\n".join(lines).encode() + event.content)

    def accept(self) -> None:
        """Say that an answer or a report is taken."""
        self._send(_ACCEPTED)

    def _send(self, content: bytes) -> None:
        self._socket.settimeout(None)
        try:
            self._socket.sendall(content)
        except ConnectionError:
            raise EnvironmentEnded from None

    def _set_timeout(self, deadline: float) -> None:
        # Not 0, which would not wait for what is there.
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))


class _Request:
    """A request of the runtime, its body still to be read."""

    def __init__(self, connection: _Connection, path: str, headers: HTTPMessage) -> None:
        self.connection = connection
        self.path = path
        self.headers = headers
        self.trailers = HTTPMessage()

    def pieces(self, deadline: float) -> Iterator[bytes]:
        """Yield the body as it comes, chunk by chunk; the trailers are there after it."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            yield from self._bytes(int(self.headers.get("Content-Length", "0")), deadline)
            return
        if self.headers.get(_MODE) != "streaming":
            raise EnvironmentEnded("a body in chunks is for answers that stream")
        while size := int(self.connection.line(deadline), 16):
            yield b"".join(self._bytes(size, deadline))
            self.connection.line(deadline)
        self.trailers = self.connection.headers()

    def failure(self, deadline: float) -> RuntimeFailed:
        """Read an error report."""
        content = b"".join(self.pieces(deadline))
        self.connection.accept()
        return RuntimeFailed(self.headers.get(_ERROR_TYPE, ""), json.loads(content or b"null"))

    def _bytes(self, size: int, deadline: float) -> Iterator[bytes]:
        while size:
            piece = self.connection.piece(size, deadline)
            size -= len(piece)
            yield piece
