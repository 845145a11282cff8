"""OpenAI's SDK for JavaScript and the AI SDK, where there is npm to have them from."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "node"
# Beside the Python clients' own: what is installed once stays.
INSTALLED = Path(sys.prefix) / "node"


def stories(file: str) -> list[str]:
    return re.findall(r"^export async function (\w+)", (HERE / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="session")
def folder() -> Path:
    """A folder with the packages that package-lock.json names, and the stories."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("There is no npm and node to have the SDKs for JavaScript from.")
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = INSTALLED / ".installed"
    shutil.copytree(HERE, INSTALLED, dirs_exist_ok=True)
    if not stamp.is_file() or stamp.read_text() != sha256(lock).hexdigest():
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            pytest.skip(f"npm could not install the SDKs for JavaScript: {done.stderr[-500:]}")
        stamp.write_text(sha256(lock).hexdigest())
    return INSTALLED


@pytest.mark.parametrize(("file", "story"), [(file, s) for file in ("openai.mjs", "ai.mjs") for s in stories(file)])
def test_a_story(folder: Path, url: str, name: str, file: str, story: str) -> None:
    node = shutil.which("node") or ""
    command = [node, "run.mjs", file, story, url, name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert done.returncode == 0, done.stderr


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in lock
    assert "://" not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')
