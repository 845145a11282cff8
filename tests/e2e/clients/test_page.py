"""docs/clients.md: every block runs as it stands there, and prints what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from json import loads
from typing import TYPE_CHECKING

import pytest

from tests.dev_server import ROOT
from tests.pages import Block, blocks

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "clients.md"
BLOCKS = [block for block in blocks(PAGE) if not block.title.startswith("Open Responses")]
PACKAGES = ROOT / "tests" / "e2e" / "clients" / "node" / "package.json"


def here(block: Block, url: str) -> Block:
    return block.at({"http://127.0.0.1:8000/v1": url})


def assert_prints_what_it_says(block: Block, printed: str) -> None:
    assert block.told()
    place = 0
    for told in block.told():
        place = printed.find(told, place)
        assert place >= 0, (told, printed)
        place += len(told)


def in_language(language: str) -> pytest.MarkDecorator:
    chosen = [pytest.param(block, id=block.title) for block in BLOCKS if block.language == language]
    assert chosen
    return pytest.mark.parametrize("block", chosen)


@in_language("python")
def test_python(url: str, block: Block) -> None:
    assert_prints_what_it_says(block, here(block, url).run_python())


@in_language("javascript")
def test_javascript(url: str, node_folder: Path, block: Block) -> None:
    script = node_folder / "block.mjs"
    script.write_text(here(block, url).code, encoding="utf-8")
    command = [shutil.which("node") or "", script.name]
    done = subprocess.run(command, cwd=node_folder, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert_prints_what_it_says(block, done.stdout)


@in_language("console")
def test_console(url: str, block: Block) -> None:
    assert_prints_what_it_says(block, here(block, url).run_console())


def test_the_versions_are_those_that_are_installed() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| | made with |")[2].partition("\n\n")[0]
    named = set(re.findall(r"([\w@/-]+) (\d+(?:\.\d+)+)", table))
    node = loads(PACKAGES.read_text(encoding="utf-8"))["dependencies"]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    clients = {re.split(r"[\[>]", each)[0] for each in groups["clients"]} - {"jsonschema", "pytest", "pytest-timeout"}
    assert named == {(name, version(name)) for name in clients} | {i for i in node.items() if i[0] != "zod"}
