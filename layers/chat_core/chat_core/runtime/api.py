"""Lambda's Runtime API, 2018-06-01: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html."""

from __future__ import annotations

from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from http.client import HTTPMessage

ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"

_PREFIX = "/2018-06-01/runtime"
# Of an answer for an API Gateway integration that streams; see `chat_core.runtime.answer`.
_INTEGRATION_RESPONSE = "application/vnd.awslambda.http-integration-response"


class RuntimeApiFailed(Exception):
    """The Runtime API refused a call or is gone: nothing is left to do for this environment."""


class RuntimeApi:
    """An environment's way to Lambda, on one connection.

    Every call raises `RuntimeApiFailed` when there is nobody to answer it.

    Parameters
    ----------
    address
        ``host:port``, as ``AWS_LAMBDA_RUNTIME_API`` has it.
    """

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(address)

    def get(self, path: str) -> tuple[HTTPMessage, bytes]:
        """Ask for what comes next, and wait for it as long as it takes."""
        return self._call("GET", path)

    def post(self, path: str, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Hand over an answer that is whole, or a report.

        What Lambda does not take, it has told its caller of (413: too large).
        """
        self._call("POST", path, content, headers)

    def report(self, path: str, kind: str, content: bytes) -> None:
        """Hand over what went wrong: the error's kind, and JSON that says more."""
        self.post(path, content, {"Content-Type": "application/json", ERROR_TYPE: kind})

    def begin(self, path: str) -> socket.socket:
        """Begin an answer whose chunks and trailers its owner writes; `end` takes what Lambda says to it.

        Raises
        ------
        OSError, HTTPException
            If it cannot.
        """
        self._connection.putrequest("POST", f"{_PREFIX}{path}")
        self._connection.putheader("Content-Type", _INTEGRATION_RESPONSE)
        self._connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        self._connection.putheader("Transfer-Encoding", "chunked")
        self._connection.putheader("Trailer", f"{ERROR_TYPE}, {ERROR_BODY}")
        self._connection.endheaders()
        return self._connection.sock

    def end(self, *, broken: bool) -> None:
        """End an answer. Whether anybody took it makes no difference: what it tells of was done.

        A connection that broke is given up; the next call makes a new one.
        """
        with suppress(OSError, HTTPException):
            if not broken:
                self._connection.getresponse().read()
                return
        self._connection.close()

    def _call(
        self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[HTTPMessage, bytes]:
        try:
            self._connection.request(method, f"{_PREFIX}{path}", content, headers or {})
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            message = f"{method} {path}: {type(error).__name__}"
            raise RuntimeApiFailed(message) from None
        if response.status >= (300 if method == "GET" else 500):
            message = f"{method} {path}: status {response.status}"
            raise RuntimeApiFailed(message)
        return response.headers, body
