"""HTTP/1.1 on this machine alone: reads requests for the gateway and writes its answers."""

from __future__ import annotations

import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from local.console import request_line
from local.gateway import MAX_BODY_BYTES
from local.guard import Guard
from local.messages import HttpRequest, HttpResponse, StreamBroken, StreamedResponse

if TYPE_CHECKING:
    from local.page import Front

HOST = "127.0.0.1"
# Longer than clients keep an idle connection, so that they are the ones who close it.
_IDLE_SECONDS = 75
_LINGER_SECONDS = 2
_ASCII = "".join(map(chr, range(33, 127)))


class HttpServer(ThreadingHTTPServer):
    """A server on 127.0.0.1, a thread per connection. It is bound once made: early callers wait until it serves.

    Parameters
    ----------
    port
        0 takes a free one.
    allowed_origins
        See `Guard`.

    Raises
    ------
    OSError
        If the port is taken.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    gateway: Front

    def __init__(self, port: int, *, allowed_origins: frozenset[str] = frozenset()) -> None:
        super().__init__((HOST, port), _Handler)
        self.guard = Guard(self.server_port, allowed_origins)

    def server_bind(self) -> None:
        """Bind without the look-up of the host's name that http.server makes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def serve(self, gateway: Front) -> None:
        """Begin to answer through the gateway, in a thread of its own."""
        self.gateway = gateway
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of what broke a connection, unless the client went away."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc()


class _BadRequest(Exception):
    """The request's framing is wrong."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS
    server: HttpServer

    def _serve(self) -> None:
        started = time.perf_counter()
        try:
            request = self._head()
            refusal = self.server.guard.refusal(request)
            request = request if refusal else replace(request, body=self._body())
        except _BadRequest:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        response = refusal or self.server.gateway.answer(request)
        unread = refusal is not None or len(request.body) > MAX_BODY_BYTES
        self.close_connection = self.close_connection or unread
        begun = None
        if isinstance(response, StreamedResponse):
            begun = time.perf_counter() - started
            response = self._stream(response)
        else:
            self._write(response)
        if unread:
            self._linger()
        print(request_line(request, response, time.perf_counter() - started, begun=begun), flush=True)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = _serve  # noqa: N815 - http.server's names

    def _head(self) -> HttpRequest:
        """Return the request, its body still unread."""
        if len(self.headers.get_all("Host", ())) != 1:  # RFC 9112 3.2
            raise _BadRequest
        # Bytes beyond ASCII are no part of a URL; browsers send them percent-encoded.
        path, _, query = quote(self.path.encode("latin-1"), safe=_ASCII).partition("?")
        return HttpRequest(
            method=self.command,
            path=path,
            query=query,
            headers=tuple(self.headers.items()),
            body=b"",
            source_ip=self.client_address[0],
        )

    def _body(self) -> bytes:
        """Read the body, or one byte more than the gateway takes: then the rest stays unread."""
        coding, length = self.headers.get("Transfer-Encoding"), self.headers.get("Content-Length")
        if coding is not None:
            if coding.strip().lower() != "chunked" or length is not None:
                raise _BadRequest
            return self._chunks()
        if length is None:
            return b""
        if not (length.isascii() and length.isdigit()):
            raise _BadRequest
        return self._read(min(int(length), MAX_BODY_BYTES + 1))

    def _chunks(self) -> bytes:
        """Undo the chunked transfer coding (RFC 9112 7.1)."""
        body = bytearray()
        while len(body) <= MAX_BODY_BYTES:
            try:
                size = int(self._line().partition(b";")[0], 16)
            except ValueError:
                raise _BadRequest from None
            if size < 0:
                raise _BadRequest
            if size == 0:
                while self._line():  # trailers
                    pass
                return bytes(body)
            body += self._read(min(size, MAX_BODY_BYTES + 1))
            if len(body) <= MAX_BODY_BYTES and self._line():
                raise _BadRequest
        return bytes(body)

    def _line(self) -> bytes:
        line = self.rfile.readline(65_536)
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError
        return line.rstrip(b"\r\n")

    def _read(self, size: int) -> bytes:
        content = self.rfile.read(size)
        if len(content) < size:
            raise ConnectionAbortedError
        return content

    def _write(self, response: HttpResponse) -> None:
        """Send the answer in one write, so that no part waits for the acknowledgement of another."""
        bodiless = response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        head = self._head_of(response, () if bodiless else (("Content-Length", str(len(response.body))),))
        self.wfile.write(head if bodiless or self.command == "HEAD" else head + response.body)

    def _stream(self, response: StreamedResponse) -> HttpResponse:
        """Send the answer as it comes, each piece in one write. One that breaks off ends without the last chunk.

        What is returned tells of it; an error's body is kept.
        """
        kept = bytearray()
        chunked = self.request_version != "HTTP/1.0"
        self.close_connection = self.close_connection or not chunked
        self.wfile.write(self._head_of(response, (("Transfer-Encoding", "chunked"),) if chunked else ()))
        if self.command == "HEAD":
            return HttpResponse(response.status, response.headers, b"")
        try:
            for piece in response.pieces:
                kept += piece if response.status >= HTTPStatus.BAD_REQUEST else b""
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        except StreamBroken as broken:
            self.close_connection = True
            print(f"{self.command} {self.path} broke off: {broken}", flush=True)
        else:
            self.wfile.write(b"0\r\n\r\n" if chunked else b"")
        return HttpResponse(response.status, response.headers, bytes(kept))

    def _head_of(self, response: HttpResponse | StreamedResponse, framing: tuple[tuple[str, str], ...]) -> bytes:
        reason = HTTPStatus(response.status).phrase if response.status in HTTPStatus.__members__.values() else ""
        closing = (("Connection", "close"),) if self.close_connection else ()
        headers = [*response.headers, ("Date", self.date_time_string()), *framing, *closing]
        lines = [f"HTTP/1.1 {response.status} {reason}", *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode("utf-8")

    def _linger(self) -> None:
        """Take what the client still sends: closing at once would make it lose the answer (RFC 9112 9.6)."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_LINGER_SECONDS)
        with suppress(OSError):
            while self.connection.recv(1 << 16):
                pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what http.server refuses by itself in the gateway's form."""
        self.close_connection = True
        self._write(self.server.gateway.bad_request(int(code)))

    def log_message(self, *_: object) -> None:
        """Stay silent: requests are told when they are answered."""
