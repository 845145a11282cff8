"""What is known of the SDK beyond its documentation: that a stub can be kept, and its interceptors run in place."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import grpc
from grpc.aio import _call, _interceptor
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


def test_the_sdks_interceptors_run_without_grpcs_tasks_for_them() -> None:
    sent: list[dict[str, Any]] = []
    init = _call.UnaryUnaryCall.__init__

    def watched(self: Any, request: Any, deadline: Any, metadata: Any, *rest: Any, **more: Any) -> None:
        sent.append(dict(metadata))
        init(self, request, deadline, metadata, *rest, **more)

    with (
        EmbeddedMomento() as momento,
        mock.patch.object(_call.UnaryUnaryCall, "__init__", watched),
        mock.patch.object(_interceptor.InterceptedUnaryUnaryCall, "__init__", side_effect=AssertionError),
    ):
        address = f"127.0.0.1:{momento.port}"

        async def work() -> bytes | None:
            cache = MomentoCache("omoide", lambda *, refresh: MomentoCredentials(local=address), connect_timeout=5.0)
            values = MomentoResponseCache(cache)
            await values.set("a", b"a", ttl=60, timeout=5.0)
            momento.faults.fail("Get", code=grpc.StatusCode.UNAVAILABLE, times=2)
            found = await values.get("a", timeout=5.0)
            await cache.aclose()
            return found

        start_momento({"MOMENTO_LOCAL": address})
        sent.clear()
        assert asyncio.run(work()) == b"a"
    assert all(one["cache"] == "omoide" and "authorization" in one for one in sent)
    # The SDK tells of itself once, and tries what is only read again.
    assert ["agent" in one for one in sent] == [True, False, False, False]
