"""Lambda's side of an execution environment: the Runtime API, and a process that is all a function has.

The API is the one of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
"""

from __future__ import annotations

import json
import queue
import re
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_PREFIX = "/2018-06-01/runtime"
_RESULT = re.compile(rf"{_PREFIX}/invocation/(?P<id>[^/]+)/(?P<kind>response|error)")
_ARN = "arn:aws:lambda:us-east-1:123456789012:function:smoke"


class InvocationFailed(Exception):
    """The function raised, never answered, or could not be loaded; the message is what the runtime reported."""


@dataclass(frozen=True, slots=True)
class _Invocation:
    id: str
    event: bytes
    deadline_ms: int


class RuntimeApi:
    """Hands events to a runtime, one at a time, and takes its answers."""

    def __init__(self) -> None:
        self._pending: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[str, str, Any]] = queue.SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def address(self) -> str:
        """Return what Lambda puts into ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> RuntimeApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._pending.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def invoke(self, event: Mapping[str, Any], *, timeout: float) -> Any:
        """Hand an event over and wait for the answer.

        Raises
        ------
        InvocationFailed
            If the function fails, or has not answered after ``timeout`` seconds.
        """
        invocation = _Invocation(str(uuid.uuid4()), json.dumps(event).encode(), int((time.time() + timeout) * 1000))
        self._pending.put(invocation)
        try:
            answered, kind, payload = self._results.get(timeout=timeout)
        except queue.Empty:
            message = f"There was no answer within {timeout} s."
            raise InvocationFailed(message) from None
        if kind != "response":
            raise InvocationFailed(json.dumps(payload, indent=1))
        assert answered == invocation.id
        return payload

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pending, results = self._pending, self._results

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.path == f"{_PREFIX}/invocation/next"
                invocation = pending.get()
                if invocation is None:  # the environment ends
                    self.close_connection = True
                    return
                self._answer(
                    200,
                    invocation.event,
                    {
                        "Lambda-Runtime-Aws-Request-Id": invocation.id,
                        "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                        "Lambda-Runtime-Invoked-Function-Arn": _ARN,
                        "Lambda-Runtime-Trace-Id": "Root=1-67000000-000000000000000000000001;Sampled=0",
                    },
                )

            def do_POST(self) -> None:
                payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._answer(202, b"{}", {})
                result = _RESULT.fullmatch(self.path)
                results.put((result["id"], result["kind"], payload) if result else ("", self.path, payload))

            def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        return Handler


@contextmanager
def execution_environment(
    command: Sequence[str | Path], *, task: Path, env: Mapping[str, str], output: IO[str]
) -> Iterator[RuntimeApi]:
    """Run a function's runtime in its task folder, with these environment variables and no others.

    Parameters
    ----------
    command
        Starts the runtime client.
    task
        What Lambda calls /var/task.
    env
        All variables but the Runtime API's address.
    output
        Takes what the function logs.
    """
    with RuntimeApi() as api:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=task, env={**env, "AWS_LAMBDA_RUNTIME_API": api.address}, stdout=output, stderr=output
        )
        try:
            yield api
        finally:
            process.kill()
            process.wait()
