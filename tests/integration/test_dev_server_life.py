"""How the dev server ends, and what keeps it from starting."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from local.services import start_momento
from tests.dev_server import start_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
from tests.integration.serving import PATIENCE, ask, serving, tell, until

# ---- processes


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_ends_all_processes(
    world: Path, services: Mapping[str, str], number: signal.Signals
) -> None:
    with serving(world, services) as server, ThreadPoolExecutor(1) as callers:
        idle = tell(server)["pid"]
        assert os.getpgid(idle) == os.getpgid(server.process.pid)
        (world / "sleeps").unlink(missing_ok=True)
        busy = callers.submit(ask, server, "/v1/do/sleep")
        until((world / "sleeps").exists)
        os.killpg(server.process.pid, number)
        assert server.process.wait(PATIENCE) == 0
        assert not remaining(server.process.pid)
        busy.exception(PATIENCE)  # answered or cut off, but not left waiting
    assert "Traceback" not in server.output().partition("Omoide is ready")[2]


def test_no_environment_outlives_a_server_that_was_killed(world: Path, services: Mapping[str, str]) -> None:
    with serving(world, services) as server, ThreadPoolExecutor(1) as callers:
        tell(server)
        (world / "sleeps").unlink(missing_ok=True)
        busy = callers.submit(ask, server, "/v1/do/sleep")
        until((world / "sleeps").exists)
        server.stop(signal.SIGKILL)
        until(lambda: not remaining(server.process.pid))
        busy.exception(PATIENCE)  # answered or cut off, but not left waiting


def remaining(group: int) -> list[int]:
    """Return the processes of a group that have not ended; an orphan that nobody collects has."""
    command = ["ps", "-A", "-o", "pid=,pgid=,stat="]
    table = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - it is fixed
    rows = [line.split() for line in table.stdout.splitlines()]
    return [int(pid) for pid, its_group, state in rows if int(its_group) == group and not state.startswith("Z")]


def test_an_early_ctrl_c_ends_the_start(world: Path) -> None:
    process = start_command(["--port", "0", "--template", str(world / "template.yaml")])
    with process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert "Traceback" not in first + process.stdout.read()
    assert not remaining(process.pid)


# ---- what keeps it from starting


def refusal(*args: str, env: Mapping[str, str] | None = None, code: int = 1) -> str:
    with start_command(args, env) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert "Traceback" not in output
    return output


def test_a_port_in_use_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket() as above:
        port = taken.getsockname()[1]
        with suppress(OSError):
            above.bind(("127.0.0.1", port + 1))  # as the embedded Momento of another server
            above.listen()
        for _ in range(3):  # others of this machine may have taken since what was free
            told = refusal("--port", str(port))
            assert told.startswith(f"Port {port} is in use. ")
            assert told.count("\n") == 1
            suggested = int(told.rpartition("PORT=")[2])
            assert suggested > port + 1
            if are_free(suggested, suggested + 1):
                return
    pytest.fail("The ports that it names are taken.")


def are_free(*ports: int) -> bool:
    try:
        for port in ports:
            socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_a_port_that_is_none_is_told_in_a_line() -> None:
    for wrong in ("abc", "70000", "-1", ""):
        told = refusal(f"--port={wrong}", code=2)
        assert told == f"Argument --port: a port is a number from 0 to 65535, not '{wrong}'\n"


def test_an_embedded_momento_that_does_not_get_its_port_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"(port {port} is in use)" in start_momento({}, port=port).description


def test_services_that_do_not_answer_are_told_in_a_sentence(world: Path, services: Mapping[str, str]) -> None:
    template = ("--port", "0", "--template", str(world / "template.yaml"))
    nobody = "127.0.0.1:9"
    assert f"The Momento at {nobody} did not create" in refusal(*template, env={**services, "MOMENTO_LOCAL": nobody})
    assert "MOMENTO_LOCAL must be host:port" in refusal(*template, env={**services, "MOMENTO_LOCAL": "nonsense"})
    assert "profile (nobody) could not be found" in refusal(*template, env={**services, "AWS_PROFILE": "nobody"})
    told = refusal(*template, env={**services, "AWS_ENDPOINT_URL": f"http://{nobody}"})
    assert f"The history's table cannot be made or found at http://{nobody}" in told


def test_a_template_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path) -> None:
    assert "no-such.yaml cannot be read" in refusal("--port", "0", "--template", str(tmp_path / "no-such.yaml"))
