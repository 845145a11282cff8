"""The dev server as `make run` starts it, on its offline stand-in, for every client that apps use.

The clients have an environment of their own (`make clients`); the server runs in the project's.
"""

from __future__ import annotations

import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.dev_server import ROOT, RunningServer, running_server
from tests.npm import run_npm

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECTS_PYTHON = ROOT / ".venv" / "bin" / "python"
NODE = Path(__file__).parent / "node"
# Beside the Python clients' own: what is installed once stays.
INSTALLED = Path(sys.prefix) / "node"

# Neither has anything to ask of the network: OpenAI's traces, and LiteLLM's list of prices.
os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """One server for all."""
    with running_server(python=PROJECTS_PYTHON) as server:
        yield server


@pytest.fixture(scope="session")
def url(server: RunningServer) -> str:
    """``base_url`` of a client."""
    return server.url


@pytest.fixture
def name() -> str:
    """A conversation's new name."""
    return f"client-{uuid4().hex}"


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """A folder with the packages that package-lock.json names, and the stories."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("There is no npm and node to have the SDKs for JavaScript from.")
    lock = (NODE / "package-lock.json").read_bytes()
    stamp = INSTALLED / ".installed"
    shutil.copytree(NODE, INSTALLED, dirs_exist_ok=True)
    if not stamp.is_file() or stamp.read_text() != sha256(lock).hexdigest():
        failed = run_npm(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=INSTALLED)
        if failed:
            pytest.skip(f"npm could not install the SDKs for JavaScript: {failed}")
        stamp.write_text(sha256(lock).hexdigest())
    return INSTALLED
