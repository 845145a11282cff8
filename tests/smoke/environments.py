"""A process that is all a function has in Lambda, and its Runtime API."""

from __future__ import annotations

import json
import socket
import subprocess
import uuid
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from local.proxy_answer import PRELUDE_END
from local.runtime_api import Event, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_TRACE = "Root=1-67000000-000000000000000000000001;Sampled=0"


class ExecutionEnvironment:
    """Takes one event after the other."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api

    def invoke(self, event: Mapping[str, Any], *, timeout: float) -> Any:
        """Hand an event over and wait for the answer: of a proxy integration, whole, in whichever form it came.

        Raises
        ------
        RuntimeFailed
            If the function fails or cannot be loaded.
        EnvironmentEnded, TimeoutError
            If it does not answer.
        """
        handed = Event(json.dumps(event).encode(), str(uuid.uuid4()), _TRACE, "smoke", timeout)
        return whole_answer(b"".join(self._api.invoke(handed)))


def whole_answer(payload: bytes) -> Any:
    """Read an answer that may have been streamed."""
    head, streamed, body = payload.partition(PRELUDE_END)
    answer = json.loads(head)
    return {**answer, "body": body.decode(), "isBase64Encoded": False} if streamed else answer


@contextmanager
def execution_environment(
    command: Sequence[str | Path], *, task: Path, env: Mapping[str, str], output: IO[str]
) -> Iterator[ExecutionEnvironment]:
    """Run a function's runtime in its task folder, with these environment variables and no others.

    Parameters
    ----------
    command
        Starts the runtime.
    task
        What Lambda calls /var/task.
    env
        All variables but the Runtime API's address.
    output
        Takes what the function logs.
    """
    ours, theirs = socket.socketpair()
    with RuntimeApi(ours) as api:
        with theirs:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=task,
                env={**env, "AWS_LAMBDA_RUNTIME_API": api.address},
                pass_fds=(theirs.fileno(),),
                stdout=output,
                stderr=output,
            )
        try:
            yield ExecutionEnvironment(api)
        finally:
            process.kill()
            process.wait()
