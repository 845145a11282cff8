from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.infra.stack import ROOT
from tools import environment, lambda_python
from tools.paths import import_paths

if TYPE_CHECKING:
    from pathlib import Path

NAME = f"python{lambda_python.VERSION}"


@pytest.fixture
def no_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without an interpreter of Lambda's version, and with tools that could bring one."""
    for name in ("XDG_DATA_HOME", "UV_PYTHON_INSTALL_DIR", lambda_python.OVERRIDE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}")
    return tmp_path


def put(path: Path, *, exit_code: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


def test_shim_that_does_not_run_is_passed_over(no_interpreter: Path) -> None:
    put(no_interpreter / "shims" / NAME, exit_code=127)
    real = put(no_interpreter / "pyenv" / "versions" / "3.13.9" / "bin" / NAME, exit_code=0)
    assert lambda_python.find() == real


def test_interpreter_of_uv_is_found(no_interpreter: Path) -> None:
    folder = no_interpreter / ".local" / "share" / "uv" / "python" / "cpython-3.13.9-linux-x86_64-gnu"
    real = put(folder / "bin" / NAME, exit_code=0)
    assert lambda_python.find() == real


def test_path_goes_first(no_interpreter: Path) -> None:
    put(no_interpreter / "pyenv" / "versions" / "3.13.9" / "bin" / NAME, exit_code=0)
    first = put(no_interpreter / "shims" / NAME, exit_code=0)
    assert lambda_python.find() == first


def test_named_interpreter_ends_the_search(no_interpreter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(no_interpreter / "shims" / NAME, exit_code=0)
    monkeypatch.setenv(lambda_python.OVERRIDE, str(put(no_interpreter / "own", exit_code=1)))
    with pytest.raises(lambda_python.NoInterpreter, match="PYTHON313"):
        lambda_python.find()


def test_build_without_an_interpreter_says_so_in_a_sentence(no_interpreter: Path) -> None:
    shutil.copytree(ROOT / "tools", no_interpreter / "tools")
    command = [sys.executable, "-m", "tools.build"]
    done = subprocess.run(command, cwd=no_interpreter, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"There is no Python {lambda_python.VERSION}, Lambda's runtime")
    assert done.stderr.count("\n") == 1


def test_environments_take_the_deployed_version_even_where_its_shim_does_not_run(no_interpreter: Path) -> None:
    for name in ("Makefile", "requirements/dev.txt"):
        (no_interpreter / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, no_interpreter / name)
    put(no_interpreter / "shims" / NAME, exit_code=127)
    put(no_interpreter / "shims" / "python3.12", exit_code=0)
    real = put(no_interpreter / "pyenv" / "versions" / "3.13.9" / "bin" / NAME, exit_code=0)
    real.write_text('#!/bin/sh\necho "$0 $*"\n')
    make = shutil.which("make", path=os.defpath)
    assert make is not None
    environment = {**os.environ, "PATH": f"{no_interpreter / 'shims'}:{os.defpath}", "PYTHON": ""}
    command = [make, ".venv/.dev"]
    done = subprocess.run(command, cwd=no_interpreter, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines()[-1] == f"{real} -m tools.environment .venv requirements/dev.txt .venv/.dev"


def test_checkout_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "tools.environment"]
    command += [str(tmp_path / "file" / ".venv"), "requirements/run.txt", str(tmp_path / "stamp")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 1
    assert "must be writable" in done.stderr
    assert done.stderr.count("\n") == 1


def test_import_paths_are_pytests() -> None:
    assert [path.relative_to(ROOT).as_posix() for path in import_paths()] == [
        ".",
        "layers/chat_core",
        "functions/authorizer",
        "functions/chat",
        "functions/history",
        "functions/memory",
    ]


def test_help_lists_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = makefile.partition(".PHONY:")[2].partition("\n")[0].split()
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    assert re.findall(r"^ +make (\w+) +\S", done.stdout, re.MULTILINE) == commands


@pytest.mark.parametrize(
    ("variables", "may"),
    [
        ({}, True),
        ({"PIP_INDEX_URL": "https://index.example"}, False),
        ({"PIP_NO_INDEX": "1"}, False),
        ({"PIP_EXTRA_INDEX_URL": "https://index.example"}, True),
        ({"PIP_INDEX_URL": "https://index.example", "UV_DEFAULT_INDEX": "https://index.example"}, True),
    ],
)
def test_uv_is_asked_unless_only_pip_knows_the_index(
    variables: dict[str, str], may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = environment.TOOLS / "bin" / "python"
    if not environment.runs(tools, "import uv"):
        pytest.skip(f"there is no uv in {environment.TOOLS.name}, which `make` installs where uv has a wheel")
    for name in ("PIP_INDEX_URL", "PIP_NO_INDEX", "PIP_PROXY", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)  # not the person's own
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment.may_use_uv(tools) is may
