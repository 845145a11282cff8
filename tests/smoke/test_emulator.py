"""The runtime loop under AWS's own Runtime Interface Emulator, which comes with the SAM CLI's package."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from local.proxy_answer import PRELUDE_END
from tests.infra import stack
from tests.ports import held_port
from tools import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 60.0
SECRET = "渡辺直美の秘密"
HANDLER = f"""
def streaming_handler(event, context, send):
    if event.get("fail") == "at once":
        raise ValueError("{SECRET}")
    send({{"statusCode": 200, "multiValueHeaders": {{"X-One": ["1"]}}}})
    send("渡辺".encode())
    if event.get("fail") == "later":
        raise ValueError("{SECRET}")
    send(b"!")
"""


def emulator() -> Path:
    """Find the emulator of this machine's architecture."""
    subprocess.run(["make", "--silent", ".venv-sam/.installed"], cwd=stack.ROOT, check=True)  # noqa: S607
    name = f"aws-lambda-rie-{build.host_architecture()}"
    found = sorted(build.SAM_ENVIRONMENT.glob(f"lib/python*/site-packages/samcli/local/rapid/{name}"))
    if sys.platform != "linux" or not found:
        pytest.skip(f"There is no {name} for {platform.system()} in the SAM CLI's package.")
    return found[0]


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """The emulator's two, which it has to be told."""
    with held_port() as front, held_port() as api:
        yield front, api


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, ports: tuple[int, int]) -> Iterator[Callable[..., bytes]]:
    """Invoke a small handler that streams, through the project's own ``stream.sh``."""
    task = tmp_path_factory.mktemp("task")
    (task / "given.py").write_text(HANDLER, "utf-8")
    front, api = ports
    command = [
        str(emulator()),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{front}"),
        *("--runtime-api-address", f"127.0.0.1:{api}"),
        str(stack.ROOT / "functions" / "chat" / "stream.sh"),
        sys.executable,
        "given.lambda_handler",
    ]
    layer = stack.ROOT / "layers" / "chat_core"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(layer), "LAMBDA_TASK_ROOT": str(task)}
    with (task / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=task, env=env, stdout=log, stderr=log, process_group=0)  # noqa: S603

        def invoke(**event: str) -> bytes:
            url = f"http://127.0.0.1:{front}/2015-03-31/functions/function/invocations"
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    with urllib.request.urlopen(url, json.dumps(event).encode(), PATIENCE) as answer:
                        content: bytes = answer.read()
                        return content
                except urllib.error.URLError:  # it does not listen yet
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.05)

        try:
            yield invoke
        finally:
            os.killpg(process.pid, 9)
            process.wait()
            log.seek(0)
            logged = log.read()
            print(logged)  # noqa: T201 - shown when a test fails
    assert SECRET not in logged


def test_an_answer_comes_through_with_its_prelude(ask: Callable[..., bytes]) -> None:
    for _ in range(3):  # the environment lives on
        head, _, body = ask().partition(PRELUDE_END)
        assert json.loads(head) == {"statusCode": 200, "multiValueHeaders": {"X-One": ["1"]}}
        assert body.decode() == "渡辺!"


def test_an_error_before_the_status_is_a_function_error(ask: Callable[..., bytes]) -> None:
    report = json.loads(ask(fail="at once"))
    assert (report["errorType"], report["errorMessage"]) == ("ValueError", "")
    assert ask().endswith(b"!")


def test_an_error_after_the_status_ends_the_answer_and_not_the_environment(ask: Callable[..., bytes]) -> None:
    assert ask(fail="later").endswith("渡辺".encode())
    assert ask().endswith(b"!")
