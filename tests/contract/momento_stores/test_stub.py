"""What is known of the SDK beyond its documentation: that a stub can be kept."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

from momento_wire_types import cacheclient_pb2_grpc

from chat_core.momento import MomentoCache, MomentoCredentials, MomentoResponseCache
from local.momento import EmbeddedMomento
from local.services import start_momento


def test_a_connection_makes_one_stub_for_all_its_calls() -> None:
    made: list[Any] = []
    build = cacheclient_pb2_grpc.ScsStub.__init__

    def counted(self: Any, channel: Any) -> None:
        made.append(channel)
        build(self, channel)  # type: ignore[no-untyped-call]

    with EmbeddedMomento() as momento, mock.patch.object(cacheclient_pb2_grpc.ScsStub, "__init__", counted):
        address = f"127.0.0.1:{momento.port}"
        start_momento({"MOMENTO_LOCAL": address})
        made.clear()

        async def work() -> list[bytes | None]:
            cache = MomentoCache("omoide", lambda *, refresh: MomentoCredentials(local=address), connect_timeout=5.0)
            values = MomentoResponseCache(cache)
            for key in "abc":
                await values.set(key, key.encode(), ttl=60, timeout=5.0)
            found = [await values.get(key, timeout=5.0) for key in "abc"]
            await cache.aclose()
            return found

        assert asyncio.run(work()) == [b"a", b"b", b"c"]
    assert len(made) == 1
