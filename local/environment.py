"""One Lambda environment: a process that runs the layer's own runtime loop against the dev server's Runtime API.

It runs as a script of its own, with the standard library alone, so that the handler finds on its path what it would
find in Lambda. Standard output and error are the handler's. It ends when the server does: then the lifeline is closed.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chat_core.runtime.answer import Answer
    from chat_core.runtime.loop import LambdaContext, Respond

_LAYER = Path(__file__).parents[1] / "layers" / "chat_core"


def _watch(lifeline: socket.socket) -> None:
    """End the process, whatever it does, when the server is gone."""
    lifeline.recv(1)
    os._exit(0)


def _told(respond: Respond) -> Respond:
    """Show the whole of an error to the developer, whose own words it may quote."""

    def told(event: Any, context: LambdaContext, answer: Answer) -> None:
        try:
            respond(event, context, answer)
        except Exception as error:
            if type(error) is not Exception:  # of which an authorizer makes its refusals
                traceback.print_exc()
            raise

    return told


def _main(descriptor: str, paths: str, ahead: str) -> None:
    lifeline = socket.socket(fileno=int(descriptor))
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()
    sys.path[:] = [*json.loads(paths), *sys.path, os.fspath(_LAYER)]

    from chat_core.runtime.api import RuntimeApi
    from chat_core.runtime.loop import buffer_lines, find_handler, serve

    buffer_lines()
    if os.environ.get("LOG") != "json":
        # By its path: the package is not on the handler's.
        console = runpy.run_path(str(Path(__file__).with_name("console.py")))
        sys.stdout = console["ReadableOutput"](sys.stdout)
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        respond = find_handler(os.environ["_HANDLER"], streams=bool(os.environ.get("AWS_LAMBDA_EXEC_WRAPPER")))
        for module in json.loads(ahead):
            importlib.import_module(module)
    except Exception as error:
        traceback.print_exc()
        api.report("/init/error", type(error).__name__, b"{}")
        return
    serve(api, _told(respond))


if __name__ == "__main__":
    _main(*sys.argv[1:])
