"""Put pinned packages into a virtual environment: ``python -m tools.environment FOLDER REQUIREMENTS STAMP``."""

from __future__ import annotations

import argparse
import fcntl
import shutil
import subprocess
import sys
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PIP = Path(__file__).resolve().parent.parent / "requirements" / "pip.txt"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other commands of this project out of a folder, which need not exist yet: two may start at once."""
    with folder.with_name(f"{folder.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def make(folder: Path, interpreter: Path) -> Path:
    """Make an environment, unless there is one that runs.

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
    if not runs(python, "import pip"):
        say(f"Making the environment {folder.name} …")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([interpreter, "-m", "venv", folder], check=True)  # noqa: S603
    return python


def install(python: Path, requirements: Path, stamp: Path) -> None:
    """Install what a requirements file names, unless the stamp says that this was done.

    Parameters
    ----------
    python
        The environment's interpreter.
    requirements
        Complete and pinned with hashes, so that pip has nothing to resolve.
    stamp
        File that holds the hash of the requirements installed; touched in any case, since make goes by times.

    Raises
    ------
    subprocess.CalledProcessError
        If pip fails; it has said why.
    """
    wanted = sha256(requirements.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        say(f"Installing what {requirements.name} pins (once; it takes a moment) …")
        # Bytecode is left to the first import: most of these files are never imported.
        command = "pip install -qq --disable-pip-version-check --no-compile --no-deps --require-hashes -r"
        subprocess.run([python, "-m", *command.split(), requirements], check=True)  # noqa: S603
    stamp.write_text(wanted)


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
        with locked(options.folder):
            python = make(options.folder, Path(sys.executable))
            # Interpreters bring an old pip, which takes twice as long for the rest.
            install(python, PIP, options.folder / ".pip")
            install(python, options.requirements, options.stamp)
    except subprocess.CalledProcessError as failed:
        say(f"{options.requirements} could not be installed; the reason stands above.")
        return failed.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
