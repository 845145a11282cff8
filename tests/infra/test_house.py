"""The rules of the house hold, and the checks that hold them can fail."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.infra.stack import ROOT
from tools.paths import import_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_LINES, FUNCTION_LINES, PARAMETERS = 330, 50, 6
OWN = ("layers", "functions", "local", "tools", "benchmarks", "tests")
CORE = ROOT / "layers" / "chat_core" / "chat_core"
FOUND_EVERYWHERE = {"__init__.py", "__main__.py"}
# What a key is made of are the parameters of the function that makes it.
MANY_PARAMETERS = {"response_key", "embedding_key"}

# Of each contract, by its name: a file, and a line that breaks it.
BREAKS = {
    "Imports go down the house, never up": ("layers/chat_core/chat_core/errors.py", "import chat_core.timing"),
    "Only adapters import a vendor": ("layers/chat_core/chat_core/cache/envelope.py", "import momento"),
    "Policies, messages and keys are pure: no clock, no loop, no store": (
        "layers/chat_core/chat_core/memory/windows.py",
        "import time",
    ),
    "The response cache knows no conversation": (
        "layers/chat_core/chat_core/cache/envelope.py",
        "import chat_core.history",
    ),
    "Functions are independent of each other": ("functions/chat/chat/responses.py", "import history.schemas"),
    "Adapters are chosen where a function is put together": (
        "layers/chat_core/chat_core/turns/answer.py",
        "import chat_core.history.dynamodb",
    ),
    "Pydantic stays at the edge": ("layers/chat_core/chat_core/memory/windows.py", "import pydantic"),
}


# Import contracts


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what the contracts are about."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("layers", "functions"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def lint_imports(sources: Path) -> subprocess.CompletedProcess[str]:
    paths = [str(sources / path.relative_to(ROOT)) for path in import_paths()]
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"}
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=sources, env=environment, capture_output=True, text=True, check=False
    )


def test_every_contract_has_its_break() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert sorted(contract["name"] for contract in project["tool"]["importlinter"]["contracts"]) == sorted(BREAKS)


def test_contracts_hold(sources: Path) -> None:
    done = lint_imports(sources)
    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(BREAKS)} kept, 0 broken." in done.stdout


@pytest.mark.parametrize("contract", BREAKS)
def test_a_broken_contract_is_told(sources: Path, contract: str) -> None:
    file, line = BREAKS[contract]
    with (sources / file).open("a", encoding="utf-8") as source:
        source.write(f"\n\ndef broken() -> None:\n    {line}\n")
    done = lint_imports(sources)
    assert done.returncode == 1, done.stdout
    assert f"{contract} BROKEN" in done.stdout


# Sizes


def sources_of(*tops: str) -> Iterator[Path]:
    for top in tops:
        yield from sorted((ROOT / top).rglob("*.py"))


@cache
def functions_in(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def functions_of(*tops: str) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return ((path, node) for path in sources_of(*tops) for node in functions_in(path))


def lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function's body, its docstring left out."""
    told = ast.get_docstring(function, clean=False) is not None and len(function.body) > 1
    return (function.end_lineno or 0) - function.body[1 if told else 0].lineno + 1


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = function.args
    named = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len(named) - (named[:1] in (["self"], ["cls"])) + (given.vararg is not None) + (given.kwarg is not None)


def test_files_are_short() -> None:
    long = {
        path.relative_to(ROOT).as_posix()
        for path in sources_of(*OWN)
        if len(path.read_text(encoding="utf-8").splitlines()) > FILE_LINES
    }
    assert not long, long


def test_functions_are_short() -> None:
    long = {node.name: path for path, node in functions_of(*OWN) if lines(node) > FUNCTION_LINES}
    assert not long, long


def test_what_travels_together_is_one_thing() -> None:
    # Tests name what they vary.
    many = {node.name: path for path, node in functions_of(*OWN[:-1]) if parameters(node) > PARAMETERS}
    assert many.keys() <= MANY_PARAMETERS, many


# The map


def test_the_readme_names_every_room() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [house] = re.findall(r"## The house\n\n```\n(.*?)```", readme, re.DOTALL)
    rooms = {path.name + "/" for path in CORE.iterdir() if (path / "__init__.py").is_file()}
    rooms |= {path.name for path in CORE.glob("*.py")} - FOUND_EVERYWHERE
    rooms |= {f"functions/{path.name}" for path in (ROOT / "functions").iterdir() if any(path.glob("*/handler.py"))}
    assert len(rooms) >= 15
    assert [room for room in sorted(rooms) if not re.search(rf"(?<![\w/]){re.escape(room)}(?![\w])", house)] == []


def test_the_readme_names_no_room_that_is_gone() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [house] = re.findall(r"## The house\n\n```\n(.*?)```", readme, re.DOTALL)
    inside = re.search(r"chat_core/chat_core/.*?\n(.*?)\nfunctions/", house, re.DOTALL)
    assert inside is not None
    for name in re.findall(r"(?<![\w/])((?:\w+/)+|\w+\.py)", inside[1]):
        assert (CORE / name).exists(), name
