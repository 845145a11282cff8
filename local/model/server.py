"""The stand-in model as a server on this machine, and what tests may ask and change about it."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections import Counter, deque
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Self

from local.model.conversation import form_of
from local.model.faults import NO_FAULT, Fault
from local.model.handler import Handler
from local.model.usage import load_vocabulary

if TYPE_CHECKING:
    from types import TracebackType

_log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_KEPT_REQUESTS = 1000
_STOP_SECONDS = 5


class StandInModel:
    """A stand-in for OpenAI's API: deterministic, offline, labelled "offline stand-in" in each answer's ``model``.

    It serves ``/v1/responses``, ``/v1/responses/compact``, ``/v1/chat/completions``, ``/v1/embeddings`` and
    ``/v1/models`` on 127.0.0.1, and takes any API key.

    Parameters
    ----------
    port
        The port; 0 takes a free one. A server that is started again has the port that it had.

    Attributes
    ----------
    delay
        Seconds before each answer.
    first_token, token
        Seconds that a stream's first token takes once the answer has begun, and each that follows.
    script
        The faults of the next calls, first come, first served; one that waits for a form is passed over by others.
    """

    def __init__(self, port: int = 0) -> None:
        self.delay = 0.0
        self.first_token = 0.0
        self.token = 0.0
        self.script: deque[Fault] = deque()
        self._port = port
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._requests: deque[dict[str, Any]] = deque(maxlen=_KEPT_REQUESTS)
        self._server: _Server | None = None
        self._stopping = threading.Event()

    def start(self) -> int:
        """Begin to serve and return the bound port.

        Raises
        ------
        OSError
            The port is taken.
        """
        self._stopping.clear()
        self._server = _Server((_HOST, self._port), _handler_for(self))
        self._port = self._server.server_address[1]
        _log.info("offline stand-in model on %s", self.base_url)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        threading.Thread(target=load_vocabulary, daemon=True).start()
        return self._port

    def stop(self) -> None:
        """End the server and every connection; calls that wait end at once."""
        server, self._server = self._server, None
        if server is None:
            return
        self._stopping.set()
        server.shutdown()
        server.server_close()
        server.close_connections()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its ``base_url``, once the server has started."""
        return f"http://{_HOST}:{self._port}/v1"

    @property
    def calls(self) -> Counter[str]:
        """How many calls have come, by path; a copy."""
        with self._lock:
            return Counter(self._calls)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The newest 1,000 requests' bodies, in the order in which they came; a copy."""
        with self._lock:
            return list(self._requests)

    def arrived(self, path: str) -> None:
        """Count a call."""
        with self._lock:
            self._calls[path] += 1

    def understood(self, body: dict[str, Any]) -> Fault:
        """Keep a request's body and return the fault of its call."""
        with self._lock:
            self._requests.append(body)
            form = form_of(body)
            place = next((place for place, fault in enumerate(self.script) if fault.form in ("", form)), None)
            if place is None:
                return NO_FAULT
            fault = self.script[place]
            del self.script[place]
            return fault

    def wait(self, seconds: float) -> None:
        """Let so much time pass beside the usual delay, less when the server stops."""
        self._stopping.wait(self.delay + seconds)

    def next_token(self, number: int) -> None:
        """Let the time pass that a token of a stream takes, less when the server stops."""
        if seconds := self.token if number else self.first_token:
            self._stopping.wait(seconds)


def _handler_for(model: StandInModel) -> type[Handler]:
    return type("BoundHandler", (Handler,), {"controls": model})


class _Server(ThreadingHTTPServer):
    """A threaded server that can end its open connections: idle ones would keep their threads and sockets."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[Handler]) -> None:
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without the look-up of the host's name that http.server makes."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a new connection in its own thread."""
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection whose thread has done with it."""
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def close_connections(self) -> None:
        """End every connection and wait until their threads have closed them."""
        with self._changed:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the client was faster
                    continue
            self._changed.wait_for(lambda: not self._connections, timeout=_STOP_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what broke a connection by its kind alone: the error's text may hold contents."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            _log.error("the stand-in model broke a connection: %s", type(error).__name__)
