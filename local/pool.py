"""The environments of a function: processes that serve one invocation at a time, as many as are busy at once."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from local import environment
from local.invocation import FunctionFailed, Invocation
from local.runtime_api import EnvironmentEnded, Event, RuntimeApi, RuntimeFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.application import Function

# Lambda gives the import 10 seconds; a developer's disk may be slower.
_INIT_SECONDS = 60.0
# Imports are work for a processor; some stay free for those that serve meanwhile.
_STARTS = max(1, (os.cpu_count() or 1) // 2)


class FunctionPool:
    """A function's environments.

    Parameters
    ----------
    function
        As the template has it.
    variables
        The environment variables of its processes, complete but for what Lambda itself sets.
    maximum
        How many environments there may be; further invocations wait for one.
    ahead
        Modules that an environment imports behind the handler, before its first invocation. Lambda's environments
        have a processor each; here a burst of first invocations would share few, and run into its own timeouts.

    Attributes
    ----------
    variables
        The environment variables of its processes.
    """

    def __init__(
        self, function: Function, variables: Mapping[str, str], *, maximum: int, ahead: Sequence[str] = ()
    ) -> None:
        self._function = function
        self.variables = {**variables, **_lambda_variables(function, variables)}
        self._ahead = ahead
        self._changed = threading.Condition()
        self._idle: list[_Environment] = []
        self._alive: set[_Environment] = set()
        self._starting = 0
        self._stopped = False
        # A thread stands for an environment's turn: who finds none free waits in the executor's queue.
        self._threads = ThreadPoolExecutor(maximum, thread_name_prefix=function.name)

    def warm(self) -> None:
        """Start one environment and wait until it has imported the handler.

        Raises
        ------
        FunctionFailed
            If it cannot.
        """
        self._give_back(self._take())

    def invoke(self, event: bytes, *, trace_id: str) -> Invocation:
        """Serve an invocation in a free environment, a new one, or, at the maximum, the next that is free."""
        invocation = Invocation()
        invocation.work = self._threads.submit(self._serve, event, trace_id, invocation)
        return invocation

    def stop(self) -> None:
        """Kill every environment; invocations under way fail."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            for one in self._alive:
                one.kill()
        self._threads.shutdown(cancel_futures=True)
        for one in self._idle:
            one.close()

    def _serve(self, event: bytes, trace_id: str, invocation: Invocation) -> None:
        try:
            taken = self._take()
            try:
                for piece in taken.invoke(event, trace_id):
                    invocation.add(piece)
            finally:
                self._give_back(taken)
        except FunctionFailed as failure:
            invocation.end(failure)
        except BaseException:
            invocation.end(FunctionFailed("the dev server failed; its error stands above"))
            raise
        else:
            invocation.end()

    def _take(self) -> _Environment:
        """Take an idle environment or start one, few at once."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle or self._starting < _STARTS or self._stopped)
            if self._stopped:
                raise FunctionFailed("the server stops")
            while self._idle:
                taken = self._idle.pop()
                if taken.runs():
                    return taken
                self._discard(taken)
            taken = _Environment(self._function, self.variables, self._ahead)
            self._alive.add(taken)
            self._starting += 1
        try:
            taken.initialize()
        except FunctionFailed:
            self._give_back(taken)
            raise
        finally:
            with self._changed:
                self._starting -= 1
                self._changed.notify_all()
        return taken

    def _give_back(self, taken: _Environment) -> None:
        with self._changed:
            if taken.runs():
                self._idle.append(taken)
                self._changed.notify()
            else:
                self._discard(taken)

    def _discard(self, ended: _Environment) -> None:
        ended.close()
        self._alive.discard(ended)


class _Environment:
    """One process, and Lambda's side of it."""

    def __init__(self, function: Function, variables: Mapping[str, str], ahead: Sequence[str]) -> None:
        self._function = function
        ours, theirs = socket.socketpair()
        self._api = RuntimeApi(ours)
        arguments = [
            str(theirs.fileno()),
            json.dumps([str(path) for path in function.paths]),
            json.dumps(list(ahead)),
        ]
        own = {"AWS_LAMBDA_LOG_STREAM_NAME": _log_stream_name(), "AWS_LAMBDA_RUNTIME_API": self._api.address}
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                [sys.executable, "-P", environment.__file__, *arguments],
                cwd=function.paths[0],
                env={**variables, **own},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
            )

    def initialize(self) -> None:
        """Wait until the handler is imported."""
        try:
            self._api.wait(_INIT_SECONDS)
        except RuntimeFailed:
            self.kill()
            message = f"the handler {self._function.handler} cannot be imported; the reason stands above"
            raise FunctionFailed(message) from None
        except TimeoutError:
            raise self._late("its handler was not imported within", _INIT_SECONDS) from None
        except EnvironmentEnded:
            raise self._ended() from None

    def invoke(self, content: bytes, trace_id: str) -> Iterator[bytes]:
        """Hand an event to the handler and yield its answer; kill the environment when its time is over."""
        timeout = self._function.timeout
        event = Event(content, str(uuid.uuid4()), trace_id, self._function.name, timeout)
        try:
            yield from self._api.invoke(event)
        except RuntimeFailed as failed:
            raise FunctionFailed("the handler raised; its traceback stands above", kind=str(failed)) from None
        except TimeoutError:
            raise self._late("task timed out after", timeout) from None
        except EnvironmentEnded:
            raise self._ended() from None

    def runs(self) -> bool:
        """Tell whether the process is there."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process at once and wait for its end."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Kill the process and close the sockets to it."""
        self.kill()
        self._api.close()

    def _late(self, what: str, seconds: float) -> FunctionFailed:
        self.kill()
        return FunctionFailed(f"{what} {seconds:g} seconds")

    def _ended(self) -> FunctionFailed:
        self.kill()
        code = self._process.returncode
        return FunctionFailed(f"the environment ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}")


def _log_stream_name() -> str:
    return f"{time.strftime('%Y/%m/%d', time.gmtime())}/[$LATEST]{secrets.token_hex(16)}"


def _lambda_variables(function: Function, variables: Mapping[str, str]) -> dict[str, str]:
    """Name what Lambda defines at run time.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or "us-east-1"
    return {
        "_HANDLER": function.handler,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_REGION": region,
        "LAMBDA_TASK_ROOT": os.fspath(function.paths[0]),
        "TZ": ":UTC",
    }
