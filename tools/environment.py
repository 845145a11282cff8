"""Put pinned packages into a virtual environment: ``python -m tools.environment FOLDER REQUIREMENTS STAMP``."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = ROOT / ".venv-tools"

# Bytecode is left to the first import: most of the files are never imported.
_PIP_INSTALL = ("install", "-qq", "--disable-pip-version-check", "--no-compile")
_PINNED = ("--no-deps", "--require-hashes", "-r")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other commands of this project out of a folder, which need not exist yet: two may start at once."""
    with folder.with_name(f"{folder.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def make(folder: Path, interpreter: Path, *, pip: bool = False) -> Path:
    """Make an environment, unless there is one that runs.

    Parameters
    ----------
    pip
        Whether it is to have a pip of its own, which takes some seconds.

    Returns
    -------
    Path
        The environment's own interpreter.

    Raises
    ------
    subprocess.CalledProcessError
        If the interpreter cannot make it; it has said why.
    """
    python = folder / "bin" / "python"
    if not runs(python, "import pip" if pip else ""):
        say(f"Making the environment {folder.name} …")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", *([] if pip else ["--without-pip"]), folder], check=True)  # noqa: S603
    return python


def install(python: Path, requirements: Path, stamp: Path) -> None:
    """Install what a requirements file names, unless the stamp says that this was done.

    uv does it in a second where pip takes half a minute; but it knows nothing of an index that pip was told of.

    Parameters
    ----------
    python
        The environment's interpreter.
    requirements
        Complete and pinned with hashes, so that there is nothing to resolve.
    stamp
        File that holds the hash of the requirements installed; touched in any case, since make goes by times.

    Raises
    ------
    subprocess.CalledProcessError
        If neither uv nor pip can; they have said why.
    """
    if not _is_installed(requirements, stamp):
        tools = installers()
        say(f"Installing what {requirements.name} pins (once; it takes a moment) …")
        if not _by_uv(tools, python, requirements):
            command: list[str | Path] = [tools, "-m", "pip", "--python", python, *_PIP_INSTALL, *_PINNED, requirements]
            subprocess.run(command, check=True)  # noqa: S603
    _stamp(requirements, stamp)


def installers() -> Path:
    """Make the environment of pip and, where it can be had, uv, unless it is there, and return its interpreter.

    Raises
    ------
    subprocess.CalledProcessError
        If it cannot be made; what failed has said why.
    """
    requirements, stamp = ROOT / "requirements" / "tools.txt", TOOLS / ".installed"
    with locked(TOOLS):
        python = make(TOOLS, Path(sys.executable), pip=True)
        installed = _is_installed(requirements, stamp)
        if not installed:
            say("Installing the installer …")
            # Where uv has no wheel, pip goes on alone: it is not to be built.
            command: list[str | Path] = [
                python,
                "-m",
                "pip",
                *_PIP_INSTALL,
                "--only-binary",
                ":all:",
                *_PINNED,
                requirements,
            ]
            installed = subprocess.run(command, check=False).returncode == 0  # noqa: S603
        if installed:
            _stamp(requirements, stamp)
    return python


def _by_uv(tools: Path, python: Path, requirements: Path) -> bool:
    if not may_use_uv(tools):
        return False
    command: list[str | Path] = [
        tools,
        "-m",
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        *_PINNED,
        requirements,
    ]
    if subprocess.run(command, check=False).returncode == 0:  # noqa: S603
        return True
    say("uv could not, so pip tries: that takes longer …")
    return False


def may_use_uv(tools: Path) -> bool:
    """Tell whether uv is there and asks the index that pip would ask."""
    if not runs(tools, "import uv"):
        return False
    if any(name in os.environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE")):
        return True
    listed = subprocess.run([tools, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)  # noqa: S603
    settings = {line.partition("=")[0].rpartition(".")[2] for line in listed.stdout.splitlines()}
    return settings.isdisjoint({"index-url", "no-index", "proxy"})


def _is_installed(requirements: Path, stamp: Path) -> bool:
    return stamp.is_file() and stamp.read_text() == _digest(requirements)


def _stamp(requirements: Path, stamp: Path) -> None:
    stamp.write_text(_digest(requirements))


def _digest(requirements: Path) -> str:
    return sha256(requirements.read_bytes()).hexdigest()


def runs(python: Path | str, code: str) -> bool:
    """Tell whether an interpreter is there, starts and runs a line of code without an error."""
    try:
        return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def say(words: str) -> None:
    """Tell the user what is going on, beside what a command prints for others to read."""
    print(words, file=sys.stderr, flush=True)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.environment", description=__doc__)
    for name in ("folder", "requirements", "stamp"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    try:
        if options.folder.resolve() == TOOLS:
            installers()
        else:
            with locked(options.folder):
                install(make(options.folder, Path(sys.executable)), options.requirements, options.stamp)
    except subprocess.CalledProcessError as failed:
        say(f"{options.requirements} could not be installed; the reason stands above.")
        return failed.returncode
    except OSError as error:
        place = error.filename or options.folder
        say(f"{place}: {error.strerror}. What the commands need is installed in the checkout, so it must be writable.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
