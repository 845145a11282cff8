"""Cold starts: fresh processes that import a handler, or LangChain's program, and answer once.

``cold_start``: by ``chat``, ``history`` and ``langchain``: ``import_ms`` and ``import_cpu_ms`` (the handler's modules,
or what the posts' program has at its top), ``start_to_answer_ms`` (from the start of the process, interpreter
included, to the first answer; for ``history`` a list of conversations), ``answer_cpu_ms`` (processor time of the
same), ``memory_mb`` (the most), ``modules`` and ``modules_at_answer``. ``disk``: bytes of the installed packages,
bytecode not counted, beside Lambda's own boto3.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.program import ROOT
from benchmarks.sides import OURS, THEIRS, Stage, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROUNDS = 7
PROGRAMS: dict[str, tuple[str, ...]] = {
    "chat": (*OURS, "cold", "chat"),
    "history": (*OURS, "cold", "history"),
    "langchain": (*THEIRS, "cold"),
}


def measure(stage: Stage, tell: Callable[[str], None]) -> dict[str, Any]:
    """Start each, in turns."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in PROGRAMS}
    for number in range(ROUNDS + 1):
        tell(f"cold starts, round {number} of {ROUNDS}")
        for name, command in PROGRAMS.items():
            found = _start(command, stage.variables)
            if number:  # the first writes the bytecode
                rounds[name].append(found)
    return {
        "cold_start": {name: _told(found) for name, found in rounds.items()},
        "disk": {"omoide": _own_bytes(), "langchain": _their_bytes()},
    }


def _start(command: Sequence[str], variables: dict[str, str]) -> dict[str, float]:
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - began
    if not line:
        message = f"{' '.join(command)} answered nothing"
        raise RuntimeError(message)
    return {**json.loads(line), "answer": seconds}


def _told(rounds: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "import_ms": spread((one["import"] for one in rounds), scale=1000, digits=0),
        "import_cpu_ms": spread((one["import_cpu"] for one in rounds), scale=1000, digits=0),
        "start_to_answer_ms": spread((one["answer"] for one in rounds), scale=1000, digits=0),
        "answer_cpu_ms": spread((one["answer_cpu"] for one in rounds), scale=1000, digits=0),
        "memory_mb": spread((one["memory_mb"] for one in rounds), digits=1),
        "modules": int(rounds[-1]["modules"]),
        "modules_at_answer": int(rounds[-1]["modules_at_answer"]),
    }


def _own_bytes() -> dict[str, int]:
    """Add up what the layer's packages and the project's own code have on disk."""
    pinned = (ROOT / "requirements" / "layer.txt").read_text(encoding="utf-8")
    size = packages = 0
    for name in re.findall(r"^([a-z0-9._-]+)==[^;\\]*\\$", pinned, re.MULTILINE):
        found = distribution(name)
        packages += 1
        files = [Path(str(file.locate())) for file in found.files or () if file.suffix != ".pyc"]
        size += sum(path.stat().st_size for path in files if path.is_file())
    own = [*(ROOT / "layers").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    return {"bytes": size + sum(path.stat().st_size for path in own), "packages": packages}


def _their_bytes() -> dict[str, int]:
    done = subprocess.run([*THEIRS, "disk"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, int] = json.loads(done.stdout)
    return found
