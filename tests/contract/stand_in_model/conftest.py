"""A stand-in model, and its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from openai import OpenAI

from local.model.server import StandInModel
from tests.contract.stand_in_model.support import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def model() -> Iterator[StandInModel]:
    with StandInModel() as running:
        yield running


@pytest.fixture(scope="session")
def sdk() -> Iterator[OpenAI]:
    """One for all tests: each would read the certificates anew."""
    with OpenAI(api_key=KEY, max_retries=0) as made:
        yield made


@pytest.fixture
def client(model: StandInModel, sdk: OpenAI) -> OpenAI:
    return sdk.with_options(base_url=model.base_url)


@pytest.fixture
def http(model: StandInModel) -> Iterator[httpx2.Client]:
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx2.Client(base_url=model.base_url, headers=headers, verify=False) as made:
        yield made
