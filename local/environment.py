"""One Lambda environment: a process that imports a handler and serves one invocation at a time.

It runs as a script of its own, with the standard library alone, so that the handler finds on its path what it would
find in Lambda. It talks to the dev server through a socket, frame by frame (`Frame`); standard output and error are
the handler's. It ends when the server does: then the socket is closed.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import queue
import runpy
import socket
import struct
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[[Any, Any], Any]

HEADER = struct.Struct("!cI")  # kind, length of what follows
# Kinds of frames. To the environment: what an invocation is about, then its event.
INVOCATION = b"I"
EVENT = b"E"
# From it: the handler is imported, or cannot be; its answer, or that it raised.
READY = b"R"
UNREADY = b"U"
ANSWER = b"A"
RAISED = b"X"


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """What a handler is told of its invocation, as awslambdaric's ``LambdaContext`` has it."""

    aws_request_id: str
    deadline: float
    client_context: None = None
    identity: None = None

    @property
    def function_name(self) -> str:
        """The function's name."""
        return os.environ["AWS_LAMBDA_FUNCTION_NAME"]

    @property
    def function_version(self) -> str:
        """Never a published version."""
        return os.environ["AWS_LAMBDA_FUNCTION_VERSION"]

    @property
    def invoked_function_arn(self) -> str:
        """An ARN in an account that does not exist."""
        return f"arn:aws:lambda:{os.environ['AWS_REGION']}:123456789012:function:{self.function_name}"

    @property
    def memory_limit_in_mb(self) -> str:
        """MiB; text, as in Lambda."""
        return os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]

    @property
    def log_group_name(self) -> str:
        """The log group that the function would have."""
        return os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]

    @property
    def log_stream_name(self) -> str:
        """The log stream that the environment would have."""
        return os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the environment is killed."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def send_frame(channel: socket.socket, kind: bytes, content: bytes = b"") -> None:
    """Write one frame."""
    channel.sendall(HEADER.pack(kind, len(content)) + content)


def _read_exactly(channel: socket.socket, size: int) -> bytes:
    chunks = []
    while size:
        chunk = channel.recv(min(size, 1 << 20))
        if not chunk:
            raise EOFError
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def read_frame(channel: socket.socket) -> tuple[bytes, bytes]:
    """Read one frame: its kind and content.

    Raises
    ------
    EOFError
        If the other side is gone.
    """
    kind, length = HEADER.unpack(_read_exactly(channel, HEADER.size))
    return kind, _read_exactly(channel, length)


def _receive(channel: socket.socket, frames: queue.SimpleQueue[bytes]) -> NoReturn:
    """Hand on what comes, and end the process, whatever it does, when the server is gone."""
    try:
        while True:
            frames.put(read_frame(channel)[1])
    except (EOFError, OSError):
        os._exit(0)


def _import_handler(name: str) -> Handler:
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def _invoke(handler: Handler, about: dict[str, Any], event: bytes) -> tuple[bytes, bytes]:
    os.environ["_X_AMZN_TRACE_ID"] = about["trace_id"]
    context = LambdaContext(about["request_id"], time.monotonic() + about["timeout"])
    try:
        answer = json.dumps(handler(json.loads(event), context), ensure_ascii=False).encode("utf-8")
    except Exception:
        traceback.print_exc()
        return RAISED, b""
    return ANSWER, answer


def _main(descriptor: str, handler_name: str, paths: str, ahead: str) -> None:
    sys.path[:0] = json.loads(paths)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # so that lines of several environments do not mix
    if os.environ.get("LOG") != "json":
        # By its path: the package is not on the handler's.
        console = runpy.run_path(str(Path(__file__).with_name("console.py")))
        sys.stdout = console["ReadableOutput"](sys.stdout)
    channel = socket.socket(fileno=int(descriptor))
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(channel, frames), daemon=True).start()
    try:
        handler = _import_handler(handler_name)
        for module in json.loads(ahead):
            importlib.import_module(module)
    except Exception:
        traceback.print_exc()
        send_frame(channel, UNREADY)
        return
    send_frame(channel, READY)
    while True:
        about, event = json.loads(frames.get()), frames.get()
        send_frame(channel, *_invoke(handler, about, event))


if __name__ == "__main__":
    _main(*sys.argv[1:])
