"""Starts the dev server as a person does, for tests that speak to it over HTTP."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[1]
START_SECONDS = 90
_READY = re.compile(r"Omoide is ready: (http://127\.0\.0\.1:\d+/v1) ")
# A developer's own services and settings have no place in a test.
_OWN = ("AWS_", "CACHE_", "CHAT_", "HISTORY_", "MOMENTO_", "OPENAI_", "POWERTOOLS_")
_ENDED = None


@dataclass
class RunningServer:
    """A dev server that is ready.

    Parameters
    ----------
    url
        ``base_url`` of an OpenAI client.
    process
        Of ``python -m local``.
    """

    url: str
    process: subprocess.Popen[str]
    _lines: list[str] = field(default_factory=list)

    def output(self) -> str:
        """Return what the server and its environments have written so far, standard error included."""
        return "".join(self._lines)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the server and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


def start_command(
    args: Sequence[str], env: Mapping[str, str] | None = None, python: Path | str = sys.executable
) -> subprocess.Popen[str]:
    """Start ``python -m local`` in a process group of its own, with a clean environment and these variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    return subprocess.Popen(  # noqa: S603 - our own command
        [python, "-m", "local", *args],
        cwd=ROOT,
        env={**clean, **(env or {})},
        process_group=0,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


@contextmanager
def running_server(
    env: Mapping[str, str] | None = None, args: Sequence[str] = (), python: Path | str = sys.executable
) -> Iterator[RunningServer]:
    """Run the dev server on a free port until the block ends; the test may end it earlier.

    Parameters
    ----------
    env
        Variables over a clean environment: they may name services that the test itself runs.
    args
        Further arguments of the command.
    python
        The interpreter that has what the server needs, where this one has not.
    """
    process = start_command(["--port", "0", *args], env, python)
    lines: list[str] = []
    arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, lines, arrived), daemon=True)
    reader.start()
    try:
        yield RunningServer(_url(arrived, lines), process, lines)
    finally:
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
            reader.join()


def _read(process: subprocess.Popen[str], lines: list[str], arrived: queue.SimpleQueue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.append(line)
            arrived.put(line)
    arrived.put(_ENDED)


def _url(arrived: queue.SimpleQueue[str | None], lines: list[str]) -> str:
    while (line := arrived.get(timeout=START_SECONDS)) is not _ENDED:
        if found := _READY.match(line):
            return found[1]
    message = "the dev server ended before it was ready:\n" + "".join(lines)
    raise AssertionError(message)
