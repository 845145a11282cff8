"""Recall beside LangChain's, by ``benchmarks/recall.py``, on the conversations of the folder that ``DATA`` names.

``recall``: by language, each conversation searched alone, one entry a method (``omoide``, ``omoide words``,
``langchain``): ``recall_at_4``, ``recall_512_tokens``, ``ndcg_10``, ``tokens_at_4``, ``unrelated_retrieved`` (the
share of requests that nothing answers for which something was found), ``cpu_ms``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.program import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

LANGUAGES = ("en", "ja", "zh")


def measure(_stage: object, tell: Callable[[str], None]) -> dict[str, Any]:
    """Search, where there is data: it is not part of the project. None is no figure, and leaves the last one."""
    folder = Path(os.environ.get("DATA") or ROOT / "benchmarks" / "data")
    found = {}
    for language in LANGUAGES:
        file = folder / f"{language}.json"
        if not file.is_file():
            continue
        tell(f"recall, {language}")
        command = [sys.executable, "benchmarks/recall.py", str(file)]
        if (unrelated := folder / "unrelated.json").is_file():
            command += ["--unrelated", str(unrelated)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
        found[language] = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not found:
        tell("no recall: DATA=… names the folder of its conversations (docs/long-term-memory.md)")
        return {}
    return {"recall": found}
