"""From an event to its answer, one invocation after the other."""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from chat_core.runtime.answer import Answer, Report
from chat_core.runtime.api import RuntimeApiFailed

if TYPE_CHECKING:
    from types import ModuleType

    from chat_core.runtime.answer import Send
    from chat_core.runtime.api import RuntimeApi


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What a handler is told of its invocation, under awslambdaric's names.

    Parameters
    ----------
    aws_request_id, invoked_function_arn
        Of the invocation.
    deadline_ms
        When Lambda kills the environment: milliseconds since the epoch.
    """

    aws_request_id: str
    invoked_function_arn: str
    deadline_ms: int
    client_context: None = None
    identity: None = None

    @property
    def function_name(self) -> str:
        """The function's name."""
        return os.environ["AWS_LAMBDA_FUNCTION_NAME"]

    @property
    def function_version(self) -> str:
        """The function's version."""
        return os.environ["AWS_LAMBDA_FUNCTION_VERSION"]

    @property
    def memory_limit_in_mb(self) -> str:
        """MiB; text, as Lambda's own context has it."""
        return os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]

    @property
    def log_group_name(self) -> str | None:
        """The log group, where there is one."""
        return os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")

    @property
    def log_stream_name(self) -> str | None:
        """The log stream, where there is one."""
        return os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda kills the environment."""
        return max(0, int(self.deadline_ms - time.time() * 1000))


Respond = Callable[[Any, LambdaContext, Answer], None]
"""Answers an event: what a handler is made, whether it streams or not."""


class NothingAnswered(Exception):
    """A streaming handler ended without a status."""


def find_handler(name: str, *, streams: bool = True) -> Respond:
    """Import a handler's module, and return what answers its invocations.

    Parameters
    ----------
    name
        ``module.function``, as ``_HANDLER`` has it.
    streams
        Whether the module's ``streaming_handler`` is taken, where it has one.
    """
    module_name, _, function = name.rpartition(".")
    module = _imported(module_name)
    if streams and hasattr(module, "streaming_handler"):
        return _streamed(module.streaming_handler)
    return _whole(getattr(module, function))


def _imported(name: str) -> ModuleType:
    """Import a module while the garbage collector rests: what it would look through again and again stays for good.

    Afterwards it is left out of every collection (`gc.freeze`): a tenth of a cold start, and most of a full collection.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        if collects:
            gc.enable()


def buffer_lines() -> None:
    """Write what is printed line by line: a line that waits is frozen with the environment."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def serve(api: RuntimeApi, respond: Respond) -> NoReturn:
    """Answer one invocation after the other.

    Raises
    ------
    RuntimeApiFailed
        When there is no Runtime API any more.
    """
    while True:
        headers, event = api.get("/invocation/next")
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        context = LambdaContext(
            request_id,
            headers.get("Lambda-Runtime-Invoked-Function-Arn", ""),
            int(headers["Lambda-Runtime-Deadline-Ms"]),
        )
        answer = Answer(api, f"/invocation/{request_id}")
        try:
            respond(json.loads(event), context, answer)
        except RuntimeApiFailed:
            raise
        except Exception as error:
            report = Report.of(error, request_id)
            if answer.begun:
                answer.end(report)
            else:
                api.report(f"/invocation/{request_id}/error", report.kind, report.content)


def _streamed(handler: Callable[[Any, LambdaContext, Send], None]) -> Respond:
    def respond(event: Any, context: LambdaContext, answer: Answer) -> None:
        handler(event, context, answer)
        if not answer.begun:
            raise NothingAnswered
        answer.end()

    return respond


def _whole(handler: Callable[[Any, LambdaContext], Any]) -> Respond:
    def respond(event: Any, context: LambdaContext, answer: Answer) -> None:
        answer.whole(json.dumps(handler(event, context), ensure_ascii=False).encode())

    return respond
