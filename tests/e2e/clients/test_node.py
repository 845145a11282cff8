"""OpenAI's SDK for JavaScript and the AI SDK, where there is npm to have them from."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "node"


def stories(file: str) -> list[str]:
    return re.findall(r"^export async function (\w+)", (HERE / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("file", "story"), [(file, s) for file in ("openai.mjs", "ai.mjs") for s in stories(file)])
def test_a_story(node_folder: Path, url: str, name: str, file: str, story: str) -> None:
    node = shutil.which("node") or ""
    command = [node, "run.mjs", file, story, url, name]
    done = subprocess.run(command, cwd=node_folder, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert done.returncode == 0, done.stderr


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in lock
    assert "://" not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')
