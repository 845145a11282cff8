"""Faults on demand, as the SDK meets them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import grpc
import pytest
from momento.errors import MomentoErrorCode
from momento.responses import CacheGet, CacheSet

from tests.contract.embedded_momento.support import CACHE, elements, error, exceeded

if TYPE_CHECKING:
    from momento import CacheClient

    from local.momento import EmbeddedMomento


def test_fails_the_named_rpcs_the_given_number_of_times(server: EmbeddedMomento, client: CacheClient) -> None:
    server.faults.fail("Get", code=grpc.StatusCode.PERMISSION_DENIED, times=2)
    assert isinstance(client.set(CACHE, "key", "value"), CacheSet.Success)
    for _ in range(2):
        assert error(client.get(CACHE, "key")).error_code == MomentoErrorCode.PERMISSION_ERROR
    assert isinstance(client.get(CACHE, "key"), CacheGet.Hit)


def test_fails_every_rpc_until_cleared(server: EmbeddedMomento, client: CacheClient) -> None:
    server.faults.fail(code=grpc.StatusCode.INTERNAL)
    assert error(client.list_push_back(CACHE, "list", "a")).error_code == MomentoErrorCode.INTERNAL_SERVER_ERROR
    assert error(client.list_caches()).error_code == MomentoErrorCode.INTERNAL_SERVER_ERROR
    server.faults.clear()
    assert elements(client) == []


def test_the_sdk_retries_reads_and_not_list_writes(server: EmbeddedMomento, client: CacheClient) -> None:
    server.faults.fail("Get", "ListPushBack", times=2)
    assert isinstance(client.get(CACHE, "key"), CacheGet.Miss)
    server.faults.fail("ListPushBack", times=1)
    assert error(client.list_push_back(CACHE, "list", "a")).error_code == MomentoErrorCode.SERVER_UNAVAILABLE
    assert server.meter.snapshot().calls == {"Get": 3, "ListPushBack": 1}


def test_refuses_above_the_quota(server: EmbeddedMomento, client: CacheClient) -> None:
    server.faults.exceed_quota(times=1)
    assert exceeded(client.get(CACHE, "key")) == "operations_rate_limit_exceeded"


def test_loses_the_answer_of_what_it_did(server: EmbeddedMomento, client: CacheClient) -> None:
    server.faults.lose_answer("ListConcatenateBack", times=1)
    lost = client.list_concatenate_back(CACHE, "list", ["a", "b"])
    assert error(lost).error_code == MomentoErrorCode.TIMEOUT_ERROR
    assert elements(client) == ["a", "b"]


def test_hangs_until_the_caller_gives_up(server: EmbeddedMomento, client: CacheClient) -> None:
    server.faults.hang("Set", times=1)
    assert error(client.set(CACHE, "key", "value")).error_code == MomentoErrorCode.TIMEOUT_ERROR
    assert isinstance(client.get(CACHE, "key"), CacheGet.Miss)


def test_a_delayed_write_is_done_although_the_caller_gave_up(server: EmbeddedMomento, client: CacheClient) -> None:
    server.faults.delay(60, "Set", times=1)
    assert error(client.set(CACHE, "key", "value")).error_code == MomentoErrorCode.TIMEOUT_ERROR
    while isinstance(client.get(CACHE, "key"), CacheGet.Miss):
        time.sleep(0.01)


def test_refuses_a_fault_that_cannot_happen(server: EmbeddedMomento) -> None:
    with pytest.raises(ValueError, match="no such RPC"):
        server.faults.fail("ListAppend")
    with pytest.raises(ValueError, match="at least 1"):
        server.faults.fail(times=0)


def test_loses_everything_but_the_caches(server: EmbeddedMomento, client: CacheClient) -> None:
    client.set(CACHE, "key", "value")
    client.list_push_back(CACHE, "list", "a")
    server.wipe()
    assert isinstance(client.get(CACHE, "key"), CacheGet.Miss)
    assert elements(client) == []
