"""npm, where there is one and a registry that answers."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 200
"""For all that a command fetches: less than a test may take, so that a registry that says nothing is none."""


def run_npm(npm: str, *arguments: str, folder: Path) -> str:
    """Run npm in a folder, without its patience of minutes; return why it failed, or nothing."""
    command = [npm, *arguments, "--fetch-retries", "1", "--fetch-timeout", "60000", "--loglevel", "error"]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {SECONDS} seconds"
    return "" if done.returncode == 0 else done.stderr[-500:] or "it says no more"
