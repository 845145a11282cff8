"""``python -P -m chat_core.runtime``: one execution environment, from its init phase on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from chat_core.runtime.answer import Report
from chat_core.runtime.api import RuntimeApi, RuntimeApiFailed
from chat_core.runtime.loop import buffer_lines, find_handler, serve


def main() -> None:
    """Run an environment: its init phase, then its invocations."""
    buffer_lines()
    _find_packages()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        respond = find_handler(os.environ["_HANDLER"])
    except Exception as error:
        report = Report.of(error)
        api.report("/init/error", report.kind, report.content)
        sys.exit(1)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _take_snapshot(api)
    try:
        serve(api, respond)
    except RuntimeApiFailed as failed:
        sys.exit(f"The Runtime API is gone: {failed}")


def _find_packages() -> None:
    """Put the function, the layer and Lambda's own packages on the path, in the order of Lambda's own runtime."""
    layer = Path(__file__).resolve().parents[2]
    versioned = layer / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    first = [os.environ["LAMBDA_TASK_ROOT"], os.fspath(versioned), os.fspath(layer)]
    last = [os.environ["LAMBDA_RUNTIME_DIR"]] if "LAMBDA_RUNTIME_DIR" in os.environ else []
    sys.path[:] = [*first, *(path for path in sys.path if path not in first), *last]


def _take_snapshot(api: RuntimeApi) -> None:
    """Let Lambda take the snapshot (SnapStart), and run what is registered for before and after it."""
    import snapshot_restore_py

    before = snapshot_restore_py.get_before_snapshot()
    while before:
        function, arguments, keywords = before.pop()
        function(*arguments, **keywords)
    api.get("/restore/next")
    try:
        for function, arguments, keywords in snapshot_restore_py.get_after_restore():
            function(*arguments, **keywords)
    except Exception as error:
        report = Report.of(error)
        api.report("/restore/error", report.kind, report.content)
        sys.exit(1)


if __name__ == "__main__":
    main()
