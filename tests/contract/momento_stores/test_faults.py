"""Momento fails in every way, and says so in our words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest

from chat_core.momento import (
    MomentoCache,
    MomentoMemoryStore,
    MomentoResponseCache,
)
from tests.contract.momento_stores.support import HERE, SECONDS, SOON, Credentials, Run, Stores, append, calls, reason
from tests.fakes.momento import InMemoryMemoryStore, InMemoryResponseCache

if TYPE_CHECKING:
    from momento import CacheClient

    from local.momento import EmbeddedMomento


@pytest.mark.parametrize("unavailable", ["timeout", "unavailable", "limit_exceeded", "not_found"])
def test_the_fakes_fail_as_they_are_told(fake: Stores, run: Run, unavailable: str) -> None:
    assert isinstance(fake.memory, InMemoryMemoryStore)
    assert isinstance(fake.replies, InMemoryResponseCache)
    fake.memory.unavailable = fake.replies.unavailable = unavailable
    assert {reason(run, call) for call in calls(fake, SECONDS)} == {unavailable}
    fake.memory.unavailable = fake.replies.unavailable = None
    assert run(append(fake, "1")) == 1
    run(fake.replies.set("llm:1", b"1", ttl=9, timeout=SECONDS))
    fake.memory.wipe()
    fake.replies.wipe()
    assert fake.history() == []
    assert run(fake.replies.get("llm:1", timeout=SECONDS)) is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, "unavailable"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "timeout"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "limit_exceeded"),
        (grpc.StatusCode.NOT_FOUND, "not_found"),
        (grpc.StatusCode.INTERNAL, "error"),
        (grpc.StatusCode.FAILED_PRECONDITION, "error"),
    ],
)
def test_every_error_of_every_call_is_told(
    momento: Stores, server: EmbeddedMomento, run: Run, code: grpc.StatusCode, expected: str
) -> None:
    server.faults.fail(code=code)
    assert {reason(run, call) for call in calls(momento, SECONDS)} == {expected}
    server.faults.clear()
    assert run(append(momento, "1")) == 1


def test_the_quota_is_told(momento: Stores, server: EmbeddedMomento, run: Run) -> None:
    server.faults.exceed_quota()
    assert {reason(run, call) for call in calls(momento, SECONDS)} == {"limit_exceeded"}


def test_a_missing_cache_is_told_and_not_created(
    credentials: Credentials, server: EmbeddedMomento, reader: CacheClient, run: Run
) -> None:
    assert reader
    cache = MomentoCache("no-such-cache", credentials)
    stores = Stores(MomentoMemoryStore(cache), MomentoResponseCache(cache), list)
    assert {reason(run, call) for call in calls(stores, SECONDS)} == {"not_found"}
    assert "CreateCache" not in server.meter.snapshot().calls
    run(cache.aclose())


def test_a_momento_that_hangs_costs_the_timeout_alone(momento: Stores, server: EmbeddedMomento, run: Run) -> None:
    run(append(momento, "1"))
    server.faults.hang()

    async def at_once() -> list[object]:
        tasks = [asyncio.ensure_future(call) for call in calls(momento, SOON)]
        # The SDK itself would wait for 1.1 seconds.
        done, _ = await asyncio.wait(tasks, timeout=0.9)
        assert len(done) == len(tasks)
        return [task.exception() for task in tasks]

    assert {str(error) for error in run(at_once())} == {"timeout"}
    server.faults.clear()
    assert run(append(momento, "2")) == 2


def test_a_momento_that_does_not_run_is_told(momento: Stores, server: EmbeddedMomento, run: Run) -> None:
    server.stop()
    assert {reason(run, call) for call in calls(momento, SECONDS)} == {"unavailable"}


def test_an_append_is_never_repeated(momento: Stores, server: EmbeddedMomento, run: Run) -> None:
    run(append(momento, "1"))
    server.faults.lose_answer("ListConcatenateBack", code=grpc.StatusCode.UNAVAILABLE, times=1)
    assert reason(run, append(momento, "2")) == "unavailable"
    server.faults.fail("ListConcatenateBack", times=1)
    assert reason(run, append(momento, "3")) == "unavailable"
    assert momento.history() == ["1", "2"]
    assert server.meter.snapshot().calls["ListConcatenateBack"] == 3


def test_a_replacement_that_fails_halfway_leaves_no_mixture(momento: Stores, server: EmbeddedMomento, run: Run) -> None:
    run(append(momento, "1"))
    server.faults.fail("ListConcatenateBack", times=1)
    call = momento.memory.replace_history(HERE, ["a", "b"], timeout=SECONDS)
    assert reason(run, call) == "unavailable"
    assert momento.history() == []
    server.faults.fail("Delete", code=grpc.StatusCode.NOT_FOUND, times=1)
    run(append(momento, "1"))
    call = momento.memory.replace_history(HERE, ["a", "b"], timeout=SECONDS)
    assert reason(run, call) == "not_found"
    assert momento.history() == ["1"]


def test_half_forgotten_is_not_forgotten(momento: Stores, server: EmbeddedMomento, run: Run) -> None:
    # The two deletions arrive in any order: each of them is hit in some of the rounds.
    for well in (0, 1) * 5:
        if well:
            server.faults.delay(0, "Delete", times=well)
        server.faults.fail("Delete", code=grpc.StatusCode.NOT_FOUND, times=1)
        assert reason(run, momento.memory.forget(HERE, timeout=SECONDS)) == "not_found"


def test_what_a_turn_costs(momento: Stores, server: EmbeddedMomento, run: Run) -> None:
    run(momento.memory.read_memory(HERE, timeout=SECONDS))
    run(append(momento, "1", "2"))
    run(momento.memory.write_memory(HERE, b"1", timeout=SECONDS))
    assert server.meter.snapshot().calls == {"Get": 1, "ListConcatenateBack": 1, "Set": 1}
