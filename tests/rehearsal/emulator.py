"""An AWS on this machine: ministack, in an environment of its own, on 127.0.0.1 alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.ports import held_port
from tools import environment, lambda_python
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ENVIRONMENT = ROOT / ".venv-rehearse"
START_SECONDS = 120
REGION = "us-east-1"
# The person's own account and settings stay out.
_OWN = ("AWS_", "CACHE_", "CHAT_", "HISTORY_", "MOMENTO_", "OPENAI_", "POWERTOOLS_", "SAM_", "PYTHONPATH", "PYTHONHOME")


class NotHere(Exception):
    """The emulator cannot be had on this machine; the message says what is missing."""


class Failed(Exception):
    """The rehearsal stops; the message says what is not as it should be."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator.

    Parameters
    ----------
    url
        Of all its services.
    log
        What it and the functions wrote.
    """

    url: str
    log: Path

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of a person whose account it is."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        return {
            **own,
            "PATH": os.pathsep.join([str(ENVIRONMENT / "bin"), own.get("PATH", os.defpath)]),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "fake",
            "AWS_SECRET_ACCESS_KEY": "fake",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PAGER": "",
        }


def install() -> Path:
    """Install the emulator and the AWS CLI, and return the environment's interpreter.

    Raises
    ------
    NotHere
        If Lambda's Python or the packages are not to be had.
    """
    try:
        with environment.locked(ENVIRONMENT):
            python = lambda_python.make_environment(ENVIRONMENT)
            environment.install(python, ROOT / "requirements" / "rehearse.txt", ENVIRONMENT / ".installed")
    except lambda_python.NoInterpreter as missing:
        raise NotHere(str(missing)) from None
    except subprocess.CalledProcessError:
        message = "requirements/rehearse.txt cannot be installed; the reason stands above."
        raise NotHere(message) from None
    return python


@contextmanager
def started(python: Path, folder: Path) -> Iterator[Emulator]:
    """Start the emulator, its state and log in a folder, and end it with all that it started.

    Raises
    ------
    Failed
        If it does not come up.
    """
    with held_port() as port:
        emulator = Emulator(f"http://127.0.0.1:{port}", folder / "emulator.log")
        variables = {
            **emulator.variables,
            "BIND_HOST": "127.0.0.1",  # else it listens to the whole network
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",
            "S3_DATA_DIR": str(folder / "s3"),
            "STATE_DIR": str(folder / "state"),
            "TMPDIR": str(folder),
        }
        with emulator.log.open("w") as log:
            process = subprocess.Popen(  # noqa: S603
                [python, "-m", "ministack"], cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True
            )
            try:
                _wait_for(emulator, process)
                yield emulator
            finally:
                _end(process)


def _wait_for(emulator: Emulator, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{emulator.url}/_ministack/health", timeout=5):  # noqa: S310
                return
        except OSError:
            time.sleep(0.2)
    message = f"The emulator did not start:\n{emulator.log.read_text()[-2000:]}"
    raise Failed(message)


def _end(process: subprocess.Popen[bytes]) -> None:
    for one in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, one)
            process.wait(timeout=10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
