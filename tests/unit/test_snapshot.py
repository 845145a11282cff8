"""What a SnapStart snapshot would hold: all imported, nothing open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tools.paths import import_paths

VENDORS = {
    "chat.handler": {"botocore.session", "httpx2", "momento", "pydantic"},
    "history.handler": {"botocore.session", "momento", "pydantic"},
    "memory.handler": {"botocore.session", "httpx2", "momento"},
}
LOOK = """
import json, os, sys, threading
import {handler}
open_files = [os.readlink(f"/proc/self/fd/{{number}}") for number in os.listdir("/proc/self/fd") if int(number) > 2
              and os.path.exists(f"/proc/self/fd/{{number}}")]
print(json.dumps({{
    "sockets": [name for name in open_files if name.startswith(("socket:", "anon_inode:"))],
    "threads": len(os.listdir("/proc/self/task")),
    "modules": list(sys.modules),
}}))
"""


def environment_of(handler: str, kind: str) -> dict[str, Any]:
    paths = os.pathsep.join(map(str, import_paths()))
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", LOOK.format(handler=handler)],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": paths, "AWS_LAMBDA_INITIALIZATION_TYPE": kind},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="sockets and threads are read from /proc")
@pytest.mark.parametrize("handler", VENDORS)
def test_a_snapshot_has_the_vendors_and_neither_socket_nor_thread(handler: str) -> None:
    found = environment_of(handler, "snap-start")
    assert VENDORS[handler] <= set(found["modules"])
    assert (found["sockets"], found["threads"]) == ([], 1)


def test_an_environment_that_starts_on_demand_loads_no_vendor() -> None:
    found = environment_of("chat.handler", "on-demand")
    assert VENDORS["chat.handler"].isdisjoint(found["modules"])
