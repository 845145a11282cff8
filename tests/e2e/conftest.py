"""The dev server as `make run` starts it, and the stock OpenAI SDK as its client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from openai import OpenAI

from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from tests.described import Held, hold_answers
from tests.dev_server import RunningServer, running_server
from tests.patience import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

# They have an environment of their own: `make clients`.
collect_ignore = ["clients"]

PAGE = "http://localhost:5173"
"""The origin of a web page that may call the server."""


@pytest.fixture(scope="session")
def momento() -> Iterator[EmbeddedMomento]:
    """The Momento that the dev server is told of, so that tests can look into it."""
    with EmbeddedMomento() as momento:
        yield momento


@pytest.fixture(scope="session")
def model() -> Iterator[StandInModel]:
    """The model that the dev server is told of."""
    with StandInModel() as model:
        yield model


@pytest.fixture(scope="session")
def server(momento: EmbeddedMomento, model: StandInModel) -> Iterator[RunningServer]:
    """The dev server on them."""
    named = {"MOMENTO_LOCAL": f"127.0.0.1:{momento.port}", "OPENAI_BASE_URL": model.base_url}
    # These tests are of answers, not of times: a busy machine is not to make misses of hits.
    env = {**named, "ALLOWED_ORIGINS": PAGE, **VARIABLES}
    with running_server(env) as server:
        yield server


@pytest.fixture(scope="session")
def answers() -> Iterator[Held]:
    """What the server answers to clients in this process, held against docs/openapi.json."""
    held = Held()
    with pytest.MonkeyPatch.context() as patch:
        hold_answers(held, patch.setattr)
        yield held


@pytest.fixture(autouse=True)
def _as_described(answers: Held) -> Iterator[None]:
    yield
    wrong, answers.wrong = answers.wrong, []
    assert not wrong


@pytest.fixture(scope="session")
def client(server: RunningServer) -> Iterator[OpenAI]:
    """The stock SDK."""
    with OpenAI(base_url=server.url, api_key="fake-token") as client:
        yield client
