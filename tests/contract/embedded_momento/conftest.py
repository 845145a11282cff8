"""A fresh embedded Momento for each test, and clients of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from momento_wire_types import cacheclient_pb2_grpc

from local.momento import EmbeddedMomento
from tests.contract.embedded_momento.support import CACHE, Clock, connect, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from momento import CacheClient


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[EmbeddedMomento]:
    with EmbeddedMomento(clock=clock) as server:
        yield server


@pytest.fixture
def client(server: EmbeddedMomento) -> Iterator[CacheClient]:
    with connect(server.port) as client:
        ok(client.create_cache(CACHE))
        server.meter.reset()
        yield client


@pytest.fixture
def stub(server: EmbeddedMomento, client: CacheClient) -> Iterator[Any]:
    """Momento's wire protocol, which has more than the Python SDK offers."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield cacheclient_pb2_grpc.ScsStub(channel)  # type: ignore[no-untyped-call]
