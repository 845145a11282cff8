"""An embedded AWS, by moto: DynamoDB and Secrets Manager as AWS's clients talk to them, one call at a time.

moto's own server runs calls side by side over state that no lock guards: two conditional writes can both find their
condition true, and a transaction that is refused takes back what others wrote meanwhile.
"""

from __future__ import annotations

import io
import json
import threading
import time
import traceback
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from local.embedded_aws_http import HOST, AwsAnswer, AwsHttpServer
from local.embedded_dynamodb import dynamodb_answer
from local.embedded_expressions import parse_expressions_once
from local.embedded_stream import keep_streams_small
from local.embedded_tables import keep_tables_quick

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from local.embedded_aws_http import AwsRequest


class EmbeddedAws:
    """A server of AWS's API on this machine: clients take its ``url`` as their endpoint. Signatures are not checked.

    Its state belongs to the process: every server in it serves the same. It may be used as a context manager.

    Parameters
    ----------
    port
        The port on 127.0.0.1; 0 takes a free one.

    Attributes
    ----------
    delay
        Seconds before each answer.
    """

    def __init__(self, port: int = 0) -> None:
        self.delay = 0.0
        self._port = port
        self._server: AwsHttpServer | None = None

    def start(self) -> int:
        """Begin to serve and return the bound port."""
        keep_tables_quick()
        keep_streams_small()
        parse_expressions_once()
        self._server = AwsHttpServer(self._port, self._answer)
        self._port = self._server.port
        self._server.serve()
        return self._port

    def stop(self) -> None:
        """End the server; nothing where it does not run."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: AwsRequest) -> AwsAnswer:
        if self.delay:
            time.sleep(self.delay)
        return _one_at_a_time(request)

    @property
    def url(self) -> str:
        """What clients take as ``AWS_ENDPOINT_URL``, once the server has started."""
        return f"http://{HOST}:{self._port}"


_LOCK = threading.Lock()


def _one_at_a_time(request: AwsRequest) -> AwsAnswer:
    with _LOCK:
        try:
            return dynamodb_answer(request) or moto_answer(request)
        except Exception as error:  # whatever moto stumbles over: the server goes on, and the person sees where
            traceback.print_exc()
            told = {"__type": "InternalServerError", "message": f"{type(error).__name__}: {error}"}
            return AwsAnswer(500, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(told).encode())


def moto_answer(request: AwsRequest) -> AwsAnswer:
    """Return what moto's own server answers."""
    path, _, query = request.target.partition("?")
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    environ |= {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.target,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": HOST,
    }
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    wsgi = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    pieces: Any = _moto()(environ | wsgi, lambda status, headers, _=None: begun.append((status, headers)))
    body = b"".join(pieces)
    [(status, headers)] = begun
    return AwsAnswer(
        int(status.split()[0]), {name: value for name, value in headers if name.lower() != "content-length"}, body
    )


@cache
def _moto() -> Any:
    """Make moto's own server when it is first asked: with it come Flask and IAM, half a second of imports."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    return DomainDispatcherApplication(create_backend_app)
