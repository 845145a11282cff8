"""What the application's cache holds, and services for functions that run in processes of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from local.embedded_aws import EmbeddedAws
from local.momento import EmbeddedMomento
from tests.integration.fake_application import write_application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.app import App


@dataclass(frozen=True)
class MomentoValues:
    """What the embedded Momento keeps, past its clients."""

    server: EmbeddedMomento

    @property
    def names(self) -> list[str]:
        """The keys of the application's cache."""
        return [key.decode() for key in self.server.caches.get("omoide")._items]

    def set(self, key: str, value: bytes) -> None:
        """Write a value."""
        self.server.caches.get("omoide").put(key.encode(), value, 60_000)


@pytest.fixture
def momento_values(app: App) -> MomentoValues:
    """What the application's cache holds."""
    return MomentoValues(app.momento)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake application's folder, where its functions also find their files."""
    folder = tmp_path_factory.mktemp("world")
    write_application(folder)
    return folder


@pytest.fixture(scope="module")
def services() -> Iterator[dict[str, str]]:
    """Services that the test runs itself, as the environment names them."""
    with EmbeddedAws() as aws, EmbeddedMomento() as momento:
        yield {
            "AWS_ENDPOINT_URL": aws.url,
            "MOMENTO_LOCAL": f"127.0.0.1:{momento.port}",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        }
