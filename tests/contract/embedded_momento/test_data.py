"""Caches, values, lists and expiry, as the SDK and the wire protocol see them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from momento.errors import MomentoErrorCode
from momento.requests import CollectionTtl
from momento.responses import (
    CacheGet,
    CacheListFetch,
    CacheListPopFront,
    CacheSetIfNotExists,
    CreateCache,
    ListCaches,
)
from momento_wire_types import cacheclient_pb2 as pb
from momento_wire_types import common_pb2

from tests.contract.embedded_momento.support import CACHE, METADATA, Clock, connect, elements, error, ok

if TYPE_CHECKING:
    from momento import CacheClient

    from local.momento import EmbeddedMomento


def test_manages_caches(server: EmbeddedMomento) -> None:
    with connect(server.port) as client:
        assert isinstance(client.create_cache("b"), CreateCache.Success)
        assert isinstance(client.create_cache("a"), CreateCache.Success)
        assert isinstance(client.create_cache("a"), CreateCache.CacheAlreadyExists)
        listed = client.list_caches()
        assert isinstance(listed, ListCaches.Success)
        assert [cache.name for cache in listed.caches] == ["a", "b"]
        client.set("a", "key", "value")
        client.set("b", "key", "value")
        client.flush_cache("a")
        assert isinstance(client.get("a", "key"), CacheGet.Miss)
        assert isinstance(client.get("b", "key"), CacheGet.Hit)
        client.delete_cache("b")
        for response in (client.delete_cache("b"), client.flush_cache("b"), client.get("b", "key")):
            assert error(response).error_code == MomentoErrorCode.NOT_FOUND_ERROR


def test_an_rpc_it_does_not_know_is_unimplemented(client: CacheClient) -> None:
    refused = error(client.dictionary_fetch(CACHE, "dictionary")).inner_exception
    assert refused.transport_details.grpc.code is grpc.StatusCode.UNIMPLEMENTED


def test_elements(client: CacheClient, stub: Any) -> None:
    assert isinstance(client.get(CACHE, "key"), CacheGet.Miss)
    assert isinstance(client.set_if_not_exists(CACHE, "key", b"\x00\xff"), CacheSetIfNotExists.Stored)
    assert isinstance(client.set_if_not_exists(CACHE, "key", "other"), CacheSetIfNotExists.NotStored)
    hit = client.get(CACHE, "key")
    assert isinstance(hit, CacheGet.Hit)
    assert hit.value_bytes == b"\x00\xff"
    exist = stub.KeysExist(pb._KeysExistRequest(cache_keys=[b"none", b"key"]), metadata=METADATA)
    assert list(exist.exists) == [False, True]
    client.delete(CACHE, "key")
    assert isinstance(client.get(CACHE, "key"), CacheGet.Miss)


def test_increment(client: CacheClient) -> None:
    client.increment(CACHE, "count", 5)
    assert ok(client.increment(CACHE, "count", -7)).value == -2
    client.set(CACHE, "count", "many")
    assert error(client.increment(CACHE, "count")).error_code == MomentoErrorCode.FAILED_PRECONDITION_ERROR


@pytest.mark.parametrize(
    ("condition", "stored_over"),
    [
        ({"present": common_pb2.Present()}, {"same", "other"}),
        ({"absent": common_pb2.Absent()}, {"absent"}),
        ({"equal": common_pb2.Equal(value_to_check=b"same")}, {"same"}),
        ({"not_equal": common_pb2.NotEqual(value_to_check=b"same")}, {"absent", "other"}),
        ({"absent_or_equal": common_pb2.AbsentOrEqual(value_to_check=b"same")}, {"absent", "same"}),
        ({"present_and_not_equal": common_pb2.PresentAndNotEqual(value_to_check=b"same")}, {"other"}),
    ],
)
def test_set_if(client: CacheClient, stub: Any, condition: dict[str, Any], stored_over: set[str]) -> None:
    client.set(CACHE, "same", "same")
    client.set(CACHE, "other", "other")
    for key in ("absent", "same", "other"):
        request = pb._SetIfRequest(cache_key=key.encode(), cache_body=b"new", ttl_milliseconds=60_000, **condition)
        response = stub.SetIf(request, metadata=METADATA)
        assert response.WhichOneof("result") == ("stored" if key in stored_over else "not_stored")
        now = client.get(CACHE, key)
        assert (isinstance(now, CacheGet.Hit) and now.value_string == "new") is (key in stored_over)


def test_lists(client: CacheClient) -> None:
    assert isinstance(client.list_fetch(CACHE, "list"), CacheListFetch.Miss)
    assert ok(client.list_concatenate_back(CACHE, "list", ["a", "b"])).list_length == 2
    client.list_concatenate_front(CACHE, "list", ["x", "y"])
    client.list_push_back(CACHE, "list", "c")
    client.list_push_front(CACHE, "list", "w")
    assert elements(client) == ["w", "x", "y", "a", "b", "c"]
    assert ok(client.list_length(CACHE, "list")).length == 6
    assert ok(client.list_pop_front(CACHE, "list")).value_string == "w"
    assert ok(client.list_pop_back(CACHE, "list")).value_string == "c"
    client.list_remove_value(CACHE, "list", "y")
    assert elements(client) == ["x", "a", "b"]
    client.delete(CACHE, "list")
    assert isinstance(client.list_fetch(CACHE, "list"), CacheListFetch.Miss)


def test_an_emptied_list_is_gone(client: CacheClient) -> None:
    client.list_push_back(CACHE, "list", "a")
    client.list_pop_back(CACHE, "list")
    assert isinstance(client.list_fetch(CACHE, "list"), CacheListFetch.Miss)
    assert isinstance(client.list_pop_front(CACHE, "list"), CacheListPopFront.Miss)


def test_lists_are_truncated(client: CacheClient) -> None:
    client.list_concatenate_back(CACHE, "list", ["1", "2", "3"])
    client.list_concatenate_back(CACHE, "list", ["4", "5", "6"], truncate_front_to_size=5)
    assert elements(client) == ["2", "3", "4", "5", "6"]
    client.list_push_back(CACHE, "list", "7", truncate_front_to_size=2)
    assert elements(client) == ["6", "7"]
    client.list_concatenate_front(CACHE, "list", ["4", "5"], truncate_back_to_size=3)
    assert elements(client) == ["4", "5", "6"]
    client.list_push_front(CACHE, "list", "3", truncate_back_to_size=2)
    assert elements(client) == ["3", "4"]


RANGES = [
    ({}, "abcdef"),
    ({"inclusive_start": 2}, "cdef"),
    ({"exclusive_end": 2}, "ab"),
    ({"inclusive_start": -2}, "ef"),
    ({"inclusive_start": 1, "exclusive_end": -1}, "bcde"),
    ({"inclusive_start": 4, "exclusive_end": 99}, "ef"),
    ({"inclusive_start": 4, "exclusive_end": 2}, ""),
    ({"unbounded_start": common_pb2._Unbounded(), "exclusive_end": 0}, ""),
]


@pytest.mark.parametrize(("bounds", "expected"), RANGES)
def test_fetches_and_retains_a_range(client: CacheClient, stub: Any, bounds: dict[str, Any], expected: str) -> None:
    client.list_concatenate_back(CACHE, "list", list("abcdef"))
    fetched = stub.ListFetch(pb._ListFetchRequest(list_name=b"list", **bounds), metadata=METADATA)
    assert b"".join(fetched.found.values).decode() == expected
    retained = stub.ListRetain(
        pb._ListRetainRequest(list_name=b"list", ttl_milliseconds=60_000, refresh_ttl=True, **bounds),
        metadata=METADATA,
    )
    assert retained.found.list_length == len(expected)
    assert elements(client) == list(expected)


def test_an_item_has_one_type(client: CacheClient) -> None:
    client.set(CACHE, "value", "1")
    client.list_push_back(CACHE, "list", "1")
    for response in (client.list_push_back(CACHE, "value", "2"), client.get(CACHE, "list")):
        assert error(response).error_code == MomentoErrorCode.FAILED_PRECONDITION_ERROR


def test_values_expire(client: CacheClient, stub: Any, clock: Clock) -> None:
    client.set(CACHE, "key", "value", timedelta(seconds=60))
    clock.now += 59.5
    left = stub.ItemGetTtl(pb._ItemGetTtlRequest(cache_key=b"key"), metadata=METADATA)
    assert left.found.remaining_ttl_millis == 500
    assert isinstance(client.get(CACHE, "key"), CacheGet.Hit)
    clock.now += 0.5
    assert isinstance(client.get(CACHE, "key"), CacheGet.Miss)
    left = stub.ItemGetTtl(pb._ItemGetTtlRequest(cache_key=b"key"), metadata=METADATA)
    assert left.HasField("missing")
    assert isinstance(client.set_if_not_exists(CACHE, "key", "next"), CacheSetIfNotExists.Stored)


def test_a_counter_keeps_the_ttl_it_began_with(client: CacheClient, clock: Clock) -> None:
    client.increment(CACHE, "count", ttl=timedelta(seconds=60))
    clock.now += 40
    assert ok(client.increment(CACHE, "count", ttl=timedelta(seconds=60))).value == 2
    clock.now += 20
    assert ok(client.increment(CACHE, "count", ttl=timedelta(seconds=60))).value == 1


@pytest.mark.parametrize(("refresh", "alive"), [(True, ["a", "b"]), (False, [])])
def test_lists_expire_as_their_collection_ttl_says(
    client: CacheClient, clock: Clock, refresh: bool, alive: list[str]
) -> None:
    ttl = CollectionTtl(timedelta(seconds=60), refresh_ttl=refresh)
    client.list_push_back(CACHE, "list", "a", ttl=ttl)
    clock.now += 40
    client.list_push_back(CACHE, "list", "b", ttl=ttl)
    clock.now += 40
    assert elements(client) == alive


def test_a_ttl_is_at_most_24_hours(client: CacheClient, clock: Clock) -> None:
    client.set(CACHE, "key", "value", timedelta(days=7))
    clock.now += 24 * 3600 - 1
    assert isinstance(client.get(CACHE, "key"), CacheGet.Hit)
    clock.now += 1
    assert isinstance(client.get(CACHE, "key"), CacheGet.Miss)
