"""Momento's limits and its metering of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from momento_wire_types import cacheclient_pb2 as pb

from tests.contract.embedded_momento.support import CACHE, METADATA, elements, error, exceeded, ok

if TYPE_CHECKING:
    from momento import CacheClient

    from local.momento import EmbeddedMomento

MIB = 1024 * 1024


def test_an_item_has_at_most_5_mib_with_its_key(client: CacheClient) -> None:
    ok(client.set(CACHE, "key", b"x" * (5 * MIB - 3)))
    assert exceeded(client.set(CACHE, "key", b"x" * (5 * MIB - 2))) == "item_size_limit_exceeded"
    assert len(ok(client.get(CACHE, "key")).value_bytes) == 5 * MIB - 3


def test_an_element_has_at_most_128_kib(client: CacheClient) -> None:
    client.list_push_back(CACHE, "list", b"x" * (128 * 1024))
    refused = client.list_concatenate_back(CACHE, "list", [b"fits", b"x" * (128 * 1024 + 1)])
    assert exceeded(refused) == "element_size_limit_exceeded"
    assert len(elements(client)) == 1


def test_a_whole_list_is_one_item_and_can_outgrow_the_clients_answers(client: CacheClient) -> None:
    half = [b"x" * 5242] * 500
    client.list_concatenate_back(CACHE, "list", half)
    client.list_concatenate_back(CACHE, "list", half)
    assert ok(client.list_length(CACHE, "list")).length == 1000
    unread = error(client.list_fetch(CACHE, "list"))
    assert unread.inner_exception.transport_details.grpc.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert exceeded(client.list_push_back(CACHE, "list", half[0])) == "item_size_limit_exceeded"
    assert ok(client.list_length(CACHE, "list")).length == 1000


def test_an_operation_is_a_chunk_of_each_item_or_element(server: EmbeddedMomento, client: CacheClient) -> None:
    def cost(_: object) -> int:
        operations = server.meter.snapshot().operations
        server.meter.reset()
        return operations

    assert cost(client.get(CACHE, "key")) == 1
    assert cost(client.set(CACHE, "key", b"x" * 1021)) == 1
    assert cost(client.set(CACHE, "key", b"x" * 1022)) == 2
    assert cost(client.get(CACHE, "key")) == 2
    assert cost(client.set_if_not_exists(CACHE, "key", b"x" * 1022)) == 4
    assert cost(client.list_concatenate_back(CACHE, "list", ["x"] * 100)) == 100
    assert cost(client.list_fetch(CACHE, "list")) == 100
    assert cost(client.list_push_back(CACHE, "list", b"x" * 1025)) == 2
    assert cost(client.list_pop_back(CACHE, "list")) == 2
    assert cost(client.list_length(CACHE, "list")) == 1
    assert cost(client.list_fetch(CACHE, "none")) == 1
    assert cost(client.delete(CACHE, "list")) == 1
    assert cost(client.get("no such cache", "key")) == 1


def test_consistent_reads_cost_six_times(server: EmbeddedMomento, client: CacheClient, stub: Any) -> None:
    client.list_concatenate_back(CACHE, "list", ["x"] * 10)
    server.meter.reset()
    consistent = (*METADATA, ("read-concern", "consistent"))
    stub.ListFetch(pb._ListFetchRequest(list_name=b"list"), metadata=consistent)
    assert server.meter.snapshot().operations == 60
    stub.Set(pb._SetRequest(cache_key=b"key", cache_body=b"value"), metadata=consistent)
    assert server.meter.snapshot().operations == 61


def test_counts_calls_and_bytes(server: EmbeddedMomento, client: CacheClient) -> None:
    client.set(CACHE, "key", "value")
    client.get(CACHE, "key")
    client.get(CACHE, "key")
    client.list_concatenate_back(CACHE, "list", ["one", "three"])
    client.list_fetch(CACHE, "list")
    metered = server.meter.snapshot()
    assert metered.calls == {"Set": 1, "Get": 2, "ListConcatenateBack": 1, "ListFetch": 1}
    assert metered.bytes_written == (3 + 5) + 3 + 3 + (4 + 3 + 5) + 4
    assert metered.bytes_read == 5 + 5 + (3 + 5)
    server.meter.reset()
    assert server.meter.snapshot().calls == {}
    assert metered.calls["Get"] == 2
