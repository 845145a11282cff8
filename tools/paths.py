"""Print the import paths that pyproject lists for pytest, as PYTHONPATH wants them: ``python -m tools.paths``."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def import_paths() -> list[Path]:
    """Read the folders that hold the project's packages."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return [(ROOT / path).resolve() for path in settings["tool"]["pytest"]["ini_options"]["pythonpath"]]


if __name__ == "__main__":
    print(os.pathsep.join([*map(str, import_paths()), *filter(None, [os.environ.get("PYTHONPATH")])]))
