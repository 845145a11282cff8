"""An invocation's answer on its way: piece by piece, whole, or what went wrong.

What is reported of an error is its kind and its places. An error's text may quote a conversation.
"""

from __future__ import annotations

import base64
import json
import socket
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Protocol

from chat_core.runtime.api import ERROR_BODY, ERROR_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.runtime.api import RuntimeApi

# Between the status and headers, which are JSON, and the body.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
_PRELUDE_END = bytes(8)


class Send(Protocol):
    """Takes an answer as it comes. It never waits and never raises for a reader that is slow or gone."""

    def __call__(self, part: Mapping[str, Any] | bytes, /) -> None:
        """Take ``statusCode`` and ``multiValueHeaders`` (or ``headers``) once, and then the body in pieces."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of an error: its kind and its places; its text only where that names a module.

    Parameters
    ----------
    kind
        The error's class.
    content
        JSON, in the form of Lambda's error reports.
    """

    kind: str
    content: bytes

    @classmethod
    def of(cls, error: Exception, request_id: str = "") -> Report:
        """Make the report, and log it."""
        told = {
            "errorType": type(error).__name__,
            "errorMessage": str(error) if isinstance(error, ImportError) else "",
            "requestId": request_id,
            "stackTrace": [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
            ],
        }
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(json.dumps({"timestamp": now, "level": "ERROR", "message": "function_error", **told}))  # noqa: T201
        return cls(type(error).__name__, json.dumps(told).encode())

    @property
    def trailers(self) -> str:
        """The report as the trailers of an answer that had begun."""
        return f"{ERROR_TYPE}: {self.kind}\r\n{ERROR_BODY}: {base64.b64encode(self.content).decode()}\r\n"


class Answer:
    """An invocation's answer on its way: the `Send` of its handler.

    A piece goes out at once. What the reader does not take yet waits for the next piece or the end: a slow reader
    must not stop the handler's event loop, and with it a turn that is not committed yet.

    Parameters
    ----------
    api
        Where it goes.
    invocation
        The invocation's path.

    Attributes
    ----------
    begun
        Whether it is on its way: from then on an error can only be told in the trailers.
    """

    def __init__(self, api: RuntimeApi, invocation: str) -> None:
        self.begun = False
        self._api = api
        self._path = f"{invocation}/response"
        self._socket: socket.socket | None = None
        self._waiting = bytearray()

    def __call__(self, part: Mapping[str, Any] | bytes, /) -> None:
        """Take the status and headers, or a piece of the body."""
        if not isinstance(part, bytes):
            prelude = json.dumps(part).encode() + _PRELUDE_END
            self.begun = True
            with suppress(OSError, HTTPException):
                self._socket = self._api.begin(self._path)
            self._write(prelude)
        elif part:  # a chunk of no bytes would be the end
            self._write(part)

    def whole(self, content: bytes) -> None:
        """Give the answer of a handler that does not stream."""
        self.begun = True
        self._api.post(self._path, content)

    def end(self, failure: Report | None = None) -> None:
        """Write the end of a streamed answer, and wait until it is taken."""
        self._waiting += f"0\r\n{failure.trailers if failure else ''}\r\n".encode()
        self._flush()
        self._api.end(broken=self._socket is None)

    def _write(self, content: bytes) -> None:
        self._waiting += b"%x\r\n%b\r\n" % (len(content), content)
        self._flush(socket.MSG_DONTWAIT)

    def _flush(self, flags: int = 0) -> None:
        while self._waiting and self._socket is not None:
            try:
                del self._waiting[: self._socket.send(self._waiting, flags)]
            except BlockingIOError:
                return
            except OSError:
                self._socket = None
