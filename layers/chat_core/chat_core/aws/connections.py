"""HTTP to one service: connections that are kept, one call at a time on each."""

from __future__ import annotations

import select
import ssl
from collections import deque
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from chat_core.aws.failures import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.aws.endpoint import Endpoint

CONNECT_SECONDS, READ_SECONDS = 1.0, 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``crc32`` of the body, where the service tells it."""

    status: int
    body: bytes
    crc32: str | None = None


class Sender(Protocol):
    """Posts to a service."""

    def is_ready(self) -> bool:
        """Whether a call would find a connection."""
        ...

    def prepare(self) -> None:
        """Make a connection for a call that is to come.

        Raises
        ------
        NoAnswer
            If there is none to be had.
        """
        ...

    def send(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post once, and wait for the whole answer.

        Raises
        ------
        NoAnswer
            If it does not come, or not all of it.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class _AtOnce(HTTPConnection):
    """Sends a request's head and body together: as two packets they cost two calls of the system on either side."""

    def __init__(self, *address: Any, **how: Any) -> None:
        super().__init__(*address, **how)
        self._parts: list[Any] = []

    def send(self, data: Any) -> None:
        """Take a part of the request."""
        self._parts.append(data)

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> HTTPResponse:
        """Send a request and read the head of what comes back."""
        self._parts.clear()
        self.request("POST", path, body, dict(headers))
        self.sock.sendall(b"".join(self._parts))
        return self.getresponse()


class _AtOnceOverTls(_AtOnce, HTTPSConnection):
    pass


class Connections:
    """Connections of the standard library's, as many as there are calls at the same time.

    Parameters
    ----------
    endpoint
        Of the service.
    certificates
        A file of those that are trusted; None: the system's.
    """

    def __init__(self, endpoint: Endpoint, *, certificates: str | None = None) -> None:
        self._parts = urlsplit(endpoint.url)
        self._path = endpoint.path
        self._certificates = certificates
        self._context: ssl.SSLContext | None = None
        self._idle: deque[_AtOnce] = deque()
        self._closed = False

    def is_ready(self) -> bool:
        """See `Sender`."""
        connection = self._kept()
        if connection is not None:
            self._idle.append(connection)
        return connection is not None

    def prepare(self) -> None:
        """See `Sender`."""
        if not self.is_ready():
            try:
                self._idle.append(self._opened())
            except OSError as error:
                raise self._no_answer(error) from error

    def send(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """See `Sender`."""
        connection = self._kept()
        try:
            if connection is None:
                connection = self._opened()
            response = connection.post(self._path, headers, body)
            answer = Answer(response.status, response.read(), response.headers.get("x-amz-crc32"))
        except (OSError, HTTPException) as error:
            if connection is not None:
                connection.close()
            raise self._no_answer(error) from error
        if response.will_close or self._closed:
            connection.close()
        else:
            self._idle.append(connection)
        return answer

    def close(self) -> None:
        """See `Sender`."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _no_answer(self, error: Exception) -> NoAnswer:
        return NoAnswer(f"{type(error).__name__} from {self._parts.netloc}")

    def _kept(self) -> _AtOnce | None:
        """Take one that is open still: the other side closes what has been idle, and an environment may sleep."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last
                return None
            if connection.sock is not None and not _is_readable(connection.sock):
                return connection
            connection.close()
        return None

    def _opened(self) -> _AtOnce:
        host, port = self._parts.hostname or "", self._parts.port
        connection: _AtOnce
        if self._parts.scheme == "https":
            connection = _AtOnceOverTls(host, port, timeout=CONNECT_SECONDS, context=self._trusting())
        else:
            connection = _AtOnce(host, port, timeout=CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(READ_SECONDS)
        return connection

    def _trusting(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._certificates)
        return self._context


class Proxied:
    """botocore's HTTP, which knows proxies.

    Parameters
    ----------
    endpoint
        Of the service.
    proxies
        By scheme.
    certificates
        As of `Connections`.
    """

    def __init__(self, endpoint: Endpoint, proxies: Mapping[str, str], *, certificates: str | None = None) -> None:
        from botocore.httpsession import URLLib3Session

        self._url = endpoint.url
        timeouts = (CONNECT_SECONDS, READ_SECONDS)
        self._session: Any = URLLib3Session(certificates or True, proxies=proxies, timeout=timeouts)

    def is_ready(self) -> bool:
        """See `Sender`; what it has is its own."""
        return True

    def prepare(self) -> None:
        """See `Sender`."""

    def send(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """See `Sender`."""
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        try:
            response = self._session.send(AWSRequest("POST", self._url, dict(headers), body).prepare())
            return Answer(response.status_code, response.content, response.headers.get("x-amz-crc32"))
        except BotoCoreError as error:
            raise NoAnswer(type(error).__name__) from error

    def close(self) -> None:
        """See `Sender`."""
        self._session.close()


def find_sender(endpoint: Endpoint, environment: Mapping[str, str]) -> Sender:
    """Make what posts to a service: through the proxy that the environment names for it, if there is one."""
    certificates = environment.get("AWS_CA_BUNDLE") or environment.get("REQUESTS_CA_BUNDLE") or None
    scheme = urlsplit(endpoint.url).scheme
    named = {name.lower() for name, value in environment.items() if value}
    if {f"{scheme}_proxy", "all_proxy"} & named:
        from botocore.utils import get_environ_proxies

        if proxies := get_environ_proxies(endpoint.url):
            return Proxied(endpoint, proxies, certificates=certificates)
    return Connections(endpoint, certificates=certificates)


def _is_readable(sock: Any) -> bool:
    """Whether there is something to read where nothing was asked: the end of the connection."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
