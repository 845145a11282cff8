"""Measure Omoide beside LangChain + Momento: ``python -m benchmarks [PART…]``, or ``make bench``.

Writes ``benchmarks/results.json`` and ``docs/performance.md``. The members of the results are told by the module of
each part; ``machine`` and ``measured`` (when each part ran, UTC) are beside them. A part that is not run keeps what it
last found, with its date. A figure of several rounds has ``median``, ``mean``, ``min``, ``max`` and
``rounds``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.program import ROOT
from benchmarks.report import write
from benchmarks.sides import Stage
from benchmarks.targets import targets

RESULTS = ROOT / "benchmarks" / "results.json"
PARTS = {
    "turns": "turns",
    "cold": "cold",
    "load": "load",
    "cache": "response_cache",
    "streaming": "streaming",
    "tokens": "long_term_memory",
    "recall": "found",
    "views": "memory",
    "key": "key",
}
_PACKAGES = ("openai", "momento", "boto3", "aws-lambda-powertools", "langchain-core", "langchain-community")


def machine() -> dict[str, Any]:
    """Tell what it ran on, and how busy that was."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith(("model name", "Hardware"))
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _lines(path: str) -> list[str]:
    found = Path(path)
    return found.read_text(encoding="utf-8").splitlines() if found.is_file() else []


def tell(words: str) -> None:
    """Show progress."""
    print(f"{time.strftime('%H:%M:%S')} {words} …", file=sys.stderr, flush=True)


def save(results: dict[str, Any]) -> None:
    """Write both files."""
    results["targets"] = targets(results)
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write(results)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition(":")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all of them")
    chosen = parser.parse_args().parts or [*PARTS]
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    results["machine"] = machine()
    failed = []
    for part in chosen:
        try:
            with Stage.open() as stage:
                found = import_module(f"benchmarks.{PARTS[part]}").measure(stage, tell)
        except Exception as error:  # the others go on: what is not measured keeps its last figures
            tell(f"{part} failed: {type(error).__name__}: {error}")
            failed.append(part)
            continue
        if found:
            results |= found
            results.setdefault("measured", {})[part] = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        save(results)
    tell(f"{RESULTS.relative_to(ROOT)} and docs/performance.md are written")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
