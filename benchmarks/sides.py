"""Both sides on the same servers, and how figures of several rounds are told."""

from __future__ import annotations

import os
import statistics
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.program import ROOT, Program, program

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

OURS: tuple[str, ...] = (sys.executable, "-m", "benchmarks.omoide")
THEIRS: tuple[str, ...] = (str(ROOT / ".venv-bench" / "bin" / "python"), "benchmarks/langchain_momento.py")
_OWN = ("AWS_", "CACHE_", "CHAT_", "HISTORY_", "MOMENTO_", "OPENAI_", "POWERTOOLS_", "LANGCHAIN_", "LANGSMITH_")
_SETTINGS = {
    "POWERTOOLS_METRICS_NAMESPACE": "Omoide",
    "POWERTOOLS_SERVICE_NAME": "chat",
    "AWS_LAMBDA_LOG_LEVEL": "ERROR",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    # The servers share this machine: it is not Momento that is slow.
    "CACHE_TIMEOUT_MS": "1000",
}


def environment(**variables: str) -> dict[str, str]:
    """Make the environment of a side: nothing of the person's own services."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, **_SETTINGS, **variables}


@dataclass
class Stage:
    """The servers, and what a side finds in its environment."""

    servers: Program
    variables: dict[str, str]
    _stack: ExitStack

    @classmethod
    def open(cls) -> Stage:
        """Start the servers."""
        stack = ExitStack()
        servers = stack.enter_context(program((sys.executable, "-m", "benchmarks.servers"), environment()))
        return cls(servers, environment(**servers.hello), stack)

    def ours(self) -> Program:
        """Start an environment of ours."""
        return self._stack.enter_context(program((*OURS,), self.variables))

    def theirs(self) -> Program:
        """Start LangChain's."""
        without = {name: value for name, value in self.variables.items() if name != "PYTHONPATH"}
        return self._stack.enter_context(program((*THEIRS,), without))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def spread(values: Iterable[float], *, scale: float = 1.0, digits: int = 2) -> dict[str, Any]:
    """Tell the median and the mean of rounds, and how far they lie apart.

    What comes in some rounds only, such as a collection of all garbage, is in the mean alone.
    """
    found = [value * scale for value in values]
    return {
        "median": round(statistics.median(found), digits),
        "mean": round(statistics.fmean(found), digits),
        "min": round(min(found), digits),
        "max": round(max(found), digits),
        "rounds": len(found),
    }


def middle(figure: dict[str, Any]) -> float:
    """Give a figure's median."""
    return float(figure["median"])
