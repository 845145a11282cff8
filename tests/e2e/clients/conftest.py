"""The dev server as `make run` starts it, on its offline stand-in, for every client that apps use.

The clients have an environment of their own (`make clients`); the server runs in the project's.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.dev_server import ROOT, RunningServer, running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECTS_PYTHON = ROOT / ".venv" / "bin" / "python"

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
