"""Programs that a benchmark runs and asks: a line of JSON each way."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]


class Program:
    """A program that takes one line of JSON and answers with one.

    Parameters
    ----------
    command
        Starts it.
    env
        All of its environment.

    Attributes
    ----------
    hello
        What it said first.
    """

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str]) -> None:
        self._log = TemporaryFile("w+")  # noqa: SIM115 - as long as the program
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            command,
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self.hello = self._read()

    def ask(self, do: str, **members: Any) -> Any:
        """Send a command and wait for what it answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **members}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            message = f"{self._process.args!r} ended with {self._process.wait()}: {self._log.read()[-500:]}"
            raise RuntimeError(message)
        return json.loads(line)

    def end(self) -> None:
        """End it and wait."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def program(command: Sequence[str | Path], env: Mapping[str, str]) -> Iterator[Program]:
    """Run a program until the block ends."""
    running = Program(command, env)
    try:
        yield running
    finally:
        running.end()


def serve(work: Mapping[str, Callable[..., Any]], hello: Any) -> None:
    """Be such a program: ``work`` has a function for each command, which takes its members by name."""
    told = sys.stdout
    sys.stdout = sys.stderr  # what a library prints is no answer
    print(json.dumps(hello), file=told, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(work[asked.pop("do")](**asked)), file=told, flush=True)
