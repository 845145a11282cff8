"""Lambda's Python on this machine: the interpreter that builds the artefacts, and runs them for a test."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tools import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "3.13"
"""The runtime of template.yaml."""

OVERRIDE = "PYTHON313"
_NAME = f"python{VERSION}"
# Debian ships pip and venv apart; an interpreter without the GIL takes other wheels.
_CHECK = f"""
import ensurepip, sys, sysconfig, venv
sys.exit(sys.version_info[:2] != (3, {VERSION.partition(".")[2]}) or bool(sysconfig.get_config_var("Py_GIL_DISABLED")))
"""


class NoInterpreter(Exception):
    """The machine has no interpreter of Lambda's version; the message says what to do."""


def find() -> Path:
    """Find an interpreter of Lambda's version that really runs.

    ``PYTHON313`` in the environment names one and ends the search; else those on ``PATH`` (where a version manager's
    shim may refuse to run), pyenv's and uv's.

    Raises
    ------
    NoInterpreter
        If there is none.
    """
    named = os.environ.get(OVERRIDE)
    if named:
        if not environment.runs(named, _CHECK):
            message = f"{OVERRIDE} does not name a Python {VERSION} that runs and has pip and venv."
            raise NoInterpreter(message)
        return Path(named)
    for candidate in _candidates():
        if environment.runs(candidate, _CHECK):
            return candidate
    message = (
        f"There is no Python {VERSION}, Lambda's runtime, that runs here and has pip and venv. Install one "
        f"(`uv python install {VERSION}`, `pyenv install {VERSION}`, or your system's package), "
        f"or name one: {OVERRIDE}=/path/to/{_NAME}."
    )
    raise NoInterpreter(message)


def make_environment(folder: Path) -> Path:
    """Make an environment of that interpreter, unless there is one; its ``bin`` holds ``python3.13`` and pip.

    Returns
    -------
    Path
        The environment's interpreter.

    Raises
    ------
    NoInterpreter
        If there is none to make it with.
    """
    python = folder / "bin" / _NAME
    if environment.runs(python, _CHECK):
        return python
    return environment.make(folder, find(), pip=True).with_name(_NAME)


def _candidates() -> Iterator[Path]:
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder:
            yield Path(folder) / _NAME
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    for versions, pattern in ((pyenv, f"{VERSION}*"), (uv, f"cpython-{VERSION}*")):
        yield from sorted(versions.glob(f"{pattern}/bin/{_NAME}"), reverse=True)
