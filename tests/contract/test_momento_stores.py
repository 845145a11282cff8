"""The stores on Momento and their fakes: one suite for both, then what only a network can do."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import grpc
import jwt
import pytest
from momento import CacheClient, Configurations, CredentialProvider
from momento.responses import CacheListFetch, CreateCache

from chat_core.errors import CacheUnavailable, SecretUnavailable, StoreUnavailable
from chat_core.keys import Address, history_list_key
from chat_core.momento import (
    MomentoCache,
    MomentoCredentials,
    MomentoMemoryStore,
    MomentoResponseCache,
    credential_provider,
)
from local.momento import EmbeddedMomento
from tests.fakes.momento import InMemoryMemoryStore, InMemoryResponseCache

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from chat_core.cache.store import ResponseCache
    from chat_core.hot.store import MemoryStore

T = TypeVar("T")

CACHE = "omoide"
USER, TALK = "naomi", "talk-1"
HERE = Address(USER, TALK)
SECONDS = 5.0
SOON = 0.2
TTL = 3_600


class Run(Protocol):
    def __call__(self, call: Coroutine[Any, Any, T], /) -> T: ...


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def run(loop: asyncio.AbstractEventLoop) -> Run:
    return loop.run_until_complete


@pytest.fixture
def server(clock: Clock) -> Iterator[EmbeddedMomento]:
    with EmbeddedMomento(clock=clock) as server:
        yield server


@pytest.fixture
def reader(server: EmbeddedMomento) -> Iterator[CacheClient]:
    credentials = CredentialProvider.for_momento_local("127.0.0.1", server.port)
    with CacheClient(Configurations.Lambda.latest(), credentials, timedelta(hours=1)) as client:
        assert isinstance(client.create_cache(CACHE), CreateCache.Success)
        server.meter.reset()
        yield client


class Credentials:
    """A source of credentials that notes how it is asked."""

    def __init__(self, server: EmbeddedMomento) -> None:
        self.given: MomentoCredentials | Exception = MomentoCredentials(local=f"127.0.0.1:{server.port}")
        self.asked: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, *, refresh: bool) -> MomentoCredentials:
        self.asked.append(refresh)
        self.gate.wait(SECONDS)
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


@pytest.fixture
def credentials(server: EmbeddedMomento) -> Credentials:
    return Credentials(server)


@pytest.fixture
def cache(credentials: Credentials, reader: CacheClient, clock: Clock, run: Run) -> Iterator[MomentoCache]:
    assert reader
    cache = MomentoCache(CACHE, credentials, clock=clock)
    yield cache
    run(cache.aclose())


@dataclass
class Stores:
    """Both stores of one kind, and how to look behind them."""

    memory: MemoryStore
    replies: ResponseCache
    history: Callable[[], list[str]]


@pytest.fixture
def momento(cache: MomentoCache, reader: CacheClient) -> Stores:
    def history() -> list[str]:
        answer = reader.list_fetch(CACHE, history_list_key(HERE))
        return answer.value_list_string if isinstance(answer, CacheListFetch.Hit) else []

    memory = MomentoMemoryStore(cache, ttl=timedelta(seconds=TTL))
    return Stores(memory, MomentoResponseCache(cache), history)


@pytest.fixture
def fake(clock: Clock) -> Stores:
    memory = InMemoryMemoryStore(clock, ttl=TTL)
    return Stores(memory, InMemoryResponseCache(clock), lambda: list(memory.history(HERE)))


@pytest.fixture(params=["momento", "fake"])
def stores(request: pytest.FixtureRequest) -> Stores:
    stores: Stores = request.getfixturevalue(request.param)
    return stores


def reason(run: Run, call: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(CacheUnavailable) as caught:
        run(call)
    return caught.value.reason


# Memory values


def test_a_memory_value_is_read_as_written(stores: Stores, run: Run) -> None:
    memory = stores.memory
    assert run(memory.read_memory(HERE, timeout=SECONDS)) is None
    for value in (b"\x00\xff", b"", "思い出".encode()):
        run(memory.write_memory(HERE, value, timeout=SECONDS))
        assert run(memory.read_memory(HERE, timeout=SECONDS)) == value
    assert run(memory.read_memory(Address(USER, "talk-2"), timeout=SECONDS)) is None
    assert run(memory.read_memory(Address("kenji", TALK), timeout=SECONDS)) is None


def test_a_memory_value_lives_for_the_ttl_after_its_last_write(stores: Stores, run: Run, clock: Clock) -> None:
    run(stores.memory.write_memory(HERE, b"1", timeout=SECONDS))
    clock.now += TTL - 1
    run(stores.memory.write_memory(HERE, b"2", timeout=SECONDS))
    clock.now += TTL - 1
    assert run(stores.memory.read_memory(HERE, timeout=SECONDS)) == b"2"
    clock.now += 1
    assert run(stores.memory.read_memory(HERE, timeout=SECONDS)) is None


def test_a_memory_value_over_5_mb_is_refused(stores: Stores, run: Run) -> None:
    call = stores.memory.write_memory(HERE, b"0" * (5 * 1024 * 1024 + 1), timeout=SECONDS)
    assert reason(run, call) == "limit_exceeded"


# The hot list


def append(stores: Stores, *elements: str, keep: int = 200) -> Coroutine[Any, Any, int]:
    return stores.memory.append_history(HERE, elements, keep=keep, timeout=SECONDS)


def test_an_append_keeps_order_and_tells_the_length(stores: Stores, run: Run) -> None:
    assert run(append(stores, "一", "2")) == 2
    assert run(append(stores, "3")) == 3
    assert stores.history() == ["一", "2", "3"]


def test_an_append_cuts_the_list_to_its_newest(stores: Stores, run: Run) -> None:
    assert run(append(stores, "1", "2", keep=3)) == 2
    assert run(append(stores, "3", "4", keep=3)) == 3
    assert stores.history() == ["2", "3", "4"]
    assert run(append(stores, "5", "6", "7", "8", keep=3)) == 3
    assert stores.history() == ["6", "7", "8"]


def test_the_list_lives_for_the_ttl_after_its_last_write(stores: Stores, run: Run, clock: Clock) -> None:
    run(append(stores, "1"))
    clock.now += TTL - 1
    run(append(stores, "2"))
    clock.now += TTL - 1
    assert stores.history() == ["1", "2"]
    clock.now += 1
    assert stores.history() == []
    assert run(append(stores, "3")) == 1


def test_the_list_is_replaced(stores: Stores, run: Run) -> None:
    run(append(stores, "1", "2", "3"))
    run(stores.memory.replace_history(HERE, ["a", "b"], timeout=SECONDS))
    assert stores.history() == ["a", "b"]
    assert run(append(stores, "c")) == 3
    run(stores.memory.replace_history(HERE, [], timeout=SECONDS))
    assert stores.history() == []


def test_an_element_over_128_kb_is_refused_with_its_whole_append(stores: Stores, run: Run) -> None:
    assert run(append(stores, "x" * 131_072)) == 1
    assert reason(run, append(stores, "1", "x" * 131_073)) == "limit_exceeded"
    assert len(stores.history()) == 1


def test_a_list_over_5_mb_is_refused(stores: Stores, run: Run) -> None:
    assert run(append(stores, *["x" * 131_072] * 39)) == 39
    assert reason(run, append(stores, *["x" * 131_072] * 2)) == "limit_exceeded"


def test_a_conversation_is_forgotten(stores: Stores, run: Run) -> None:
    run(append(stores, "1"))
    run(stores.memory.write_memory(HERE, b"1", timeout=SECONDS))
    run(stores.memory.write_memory(Address(USER, "talk-2"), b"2", timeout=SECONDS))
    for _ in range(2):
        run(stores.memory.forget(HERE, timeout=SECONDS))
        assert stores.history() == []
        assert run(stores.memory.read_memory(HERE, timeout=SECONDS)) is None
    assert run(stores.memory.read_memory(Address(USER, "talk-2"), timeout=SECONDS)) == b"2"


# The response cache


def test_a_reply_is_kept_for_its_ttl(stores: Stores, run: Run, clock: Clock) -> None:
    replies = stores.replies
    assert run(replies.get("llm:1", timeout=SECONDS)) is None
    run(replies.set("llm:1", b"\x00\xff", ttl=10.5, timeout=SECONDS))
    assert run(replies.get("llm:1", timeout=SECONDS)) == b"\x00\xff"
    run(replies.set("llm:1", b"2", ttl=20, timeout=SECONDS))
    clock.now += 19
    assert run(replies.get("llm:1", timeout=SECONDS)) == b"2"
    clock.now += 1
    assert run(replies.get("llm:1", timeout=SECONDS)) is None


def test_one_of_many_sets_what_is_absent(stores: Stores, run: Run, clock: Clock) -> None:
    async def race() -> list[bool]:
        calls = (stores.replies.set_if_absent("lease:1", b"%d" % n, ttl=10, timeout=SECONDS) for n in range(8))
        return list(await asyncio.gather(*calls))

    assert sorted(run(race())) == [False] * 7 + [True]
    assert run(stores.replies.set_if_absent("lease:2", b"1", ttl=10, timeout=SECONDS)) is True
    assert run(stores.replies.set_if_absent("lease:2", b"2", ttl=10, timeout=SECONDS)) is False
    assert run(stores.replies.get("lease:2", timeout=SECONDS)) == b"1"
    clock.now += 10
    assert run(stores.replies.set_if_absent("lease:2", b"3", ttl=10, timeout=SECONDS)) is True
    run(stores.replies.delete("lease:2", timeout=SECONDS))
    assert run(stores.replies.get("lease:2", timeout=SECONDS)) is None
    run(stores.replies.delete("lease:2", timeout=SECONDS))


# Faults


def calls(stores: Stores, timeout: float) -> list[Coroutine[Any, Any, object]]:
    return [
        stores.memory.read_memory(HERE, timeout=timeout),
        stores.memory.write_memory(HERE, b"1", timeout=timeout),
        stores.memory.append_history(HERE, ["1"], keep=9, timeout=timeout),
        stores.memory.replace_history(HERE, ["1"], timeout=timeout),
        stores.memory.replace_history(HERE, [], timeout=timeout),
        stores.memory.forget(HERE, timeout=timeout),
        stores.replies.get("llm:1", timeout=timeout),
        stores.replies.set("llm:1", b"1", ttl=9, timeout=timeout),
        stores.replies.set_if_absent("llm:1", b"1", ttl=9, timeout=timeout),
        stores.replies.delete("llm:1", timeout=timeout),
    ]


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


# The event loop


def test_one_loop_serves_many_invocations_with_one_client(momento: Stores, credentials: Credentials, run: Run) -> None:
    for length in range(1, 6):
        assert run(append(momento, "1")) == length
    assert credentials.asked == [False]


def test_calls_at_once_share_one_client(momento: Stores, credentials: Credentials, run: Run) -> None:
    async def at_once() -> None:
        await asyncio.gather(*(momento.replies.get(f"llm:{n}", timeout=SECONDS) for n in range(10)))

    run(at_once())
    assert credentials.asked == [False]


def test_another_loop_gets_a_client_of_its_own(momento: Stores, cache: MomentoCache, run: Run) -> None:
    assert run(append(momento, "1")) == 1

    async def elsewhere() -> int:
        length = await append(momento, "2")
        await cache.aclose()
        return length

    assert asyncio.run(elsewhere()) == 2
    assert run(append(momento, "3")) == 3
    gc.collect()


def test_a_closed_cache_connects_again(
    momento: Stores, cache: MomentoCache, credentials: Credentials, run: Run
) -> None:
    run(cache.aclose())
    run(append(momento, "1"))
    run(cache.aclose())
    run(cache.aclose())
    assert run(append(momento, "2")) == 2
    assert credentials.asked == [False, False]


# Credentials


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED])
def test_refused_credentials_are_read_anew_but_not_time_and_again(
    momento: Stores,
    server: EmbeddedMomento,
    credentials: Credentials,
    cache: MomentoCache,
    clock: Clock,
    *,
    run: Run,
    code: grpc.StatusCode,
) -> None:
    server.faults.fail(code=code, times=1)
    assert reason(run, append(momento, "1")) == "credentials"
    assert run(append(momento, "1")) == 1
    assert credentials.asked == [False, True]

    server.faults.fail(code=code)
    assert reason(run, append(momento, "2")) == "credentials"
    before = server.meter.snapshot().calls["ListConcatenateBack"]
    for _ in range(5):
        assert reason(run, append(momento, "2")) == "credentials"
    assert credentials.asked == [False, True]
    assert server.meter.snapshot().calls["ListConcatenateBack"] == before

    server.faults.clear()
    clock.now += 31
    assert run(append(momento, "2")) == 2
    run(cache.aclose())
    assert run(append(momento, "3")) == 3
    assert credentials.asked == [False, True, True, False]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "Momento at 127.0.0.1 refuses the key for the cache"),
        (grpc.StatusCode.NOT_FOUND, "Momento at 127.0.0.1 has no cache"),
    ],
)
def test_what_is_the_operators_to_mend_is_told_once(
    momento: Stores,
    server: EmbeddedMomento,
    run: Run,
    caplog: pytest.LogCaptureFixture,
    *,
    code: grpc.StatusCode,
    words: str,
) -> None:
    server.faults.fail(code=code)
    for _ in range(3):
        reason(run, append(momento, "1"))
    told = [record.getMessage() for record in caplog.records if record.name == "chat_core.momento.connection"]
    assert [words in line for line in told] == [True]


def test_calls_under_way_outlive_the_refusal_of_another(momento: Stores, server: EmbeddedMomento, run: Run) -> None:
    run(append(momento, "1"))
    server.faults.delay(SOON, "Set", times=1)
    server.faults.fail("Get", code=grpc.StatusCode.UNAUTHENTICATED, times=1)

    async def both() -> tuple[object, object]:
        slow = momento.replies.set("llm:1", b"1", ttl=9, timeout=SECONDS)
        refused = momento.replies.get("llm:2", timeout=SECONDS)
        return await asyncio.gather(slow, refused, return_exceptions=True)

    done, refused = run(both())
    assert done is None
    assert isinstance(refused, CacheUnavailable)
    assert run(momento.replies.get("llm:1", timeout=SECONDS)) == b"1"


@pytest.mark.parametrize(
    "given",
    [
        StoreUnavailable("no secret"),
        MomentoCredentials(),
        MomentoCredentials(local="nonsense"),
        MomentoCredentials(api_key="not-a-key"),
        MomentoCredentials(api_key="not-a-key", endpoint="cache.example"),
        MomentoCredentials(api_key=base64.b64encode(b"[1]").decode()),
    ],
)
def test_credentials_that_cannot_be_had_or_read(
    momento: Stores, credentials: Credentials, run: Run, clock: Clock, given: MomentoCredentials | Exception
) -> None:
    good, credentials.given = credentials.given, given
    for _ in range(4):
        assert reason(run, append(momento, "1")) == "credentials"
    assert credentials.asked == [False, True]
    credentials.given = good
    clock.now += 31
    assert run(append(momento, "1")) == 1


def test_a_secret_that_is_filled_in_serves_the_next_call(momento: Stores, credentials: Credentials, run: Run) -> None:
    good, credentials.given = credentials.given, SecretUnavailable("blank")
    for _ in range(5):
        assert reason(run, append(momento, "1")) == "secret"
    credentials.given = good
    assert run(append(momento, "1")) == 1


def test_a_slow_secret_costs_the_timeout_and_serves_the_next_call(
    momento: Stores, credentials: Credentials, run: Run
) -> None:
    credentials.gate.clear()
    assert reason(run, momento.memory.read_memory(HERE, timeout=SOON)) == "timeout"
    credentials.gate.set()
    assert run(append(momento, "1")) == 1
    assert credentials.asked == [False]


def test_only_until_the_first_answer_has_a_call_time_to_connect(
    momento: Stores, cache: MomentoCache, server: EmbeddedMomento, run: Run
) -> None:
    assert cache.allowance > SOON > 0
    server.faults.delay(SOON, "Get", times=1)
    assert run(momento.memory.read_memory(HERE, timeout=0.01)) is None
    assert cache.allowance == 0
    server.faults.delay(SOON, "Get", times=1)
    assert reason(run, momento.memory.read_memory(HERE, timeout=0.01)) == "timeout"
    server.faults.fail(code=grpc.StatusCode.UNAUTHENTICATED, times=1)
    assert reason(run, momento.memory.read_memory(HERE, timeout=SECONDS)) == "credentials"
    assert cache.allowance > 0
    run(cache.aclose())
    assert run(append(momento, "1")) == 1
    assert cache.allowance == 0


FAKE_V2 = jwt.encode({"t": "g", "jti": "fake"}, "fake-secret-that-signs-nothing-at-all", algorithm="HS256")
FAKE_V1 = base64.b64encode(json.dumps({"endpoint": "one.example", "api_key": "fake-key"}).encode()).decode()
FAKE_LEGACY = jwt.encode(
    {"c": "cache.old.example", "cp": "control.old.example"}, "fake-secret-that-signs-nothing-at-all", algorithm="HS256"
)


@pytest.mark.parametrize(
    ("credentials", "endpoint", "port", "token"),
    [
        (MomentoCredentials(local="127.0.0.1:8080"), "127.0.0.1", 8080, ""),
        (MomentoCredentials(FAKE_V2, "two.example"), "cache.two.example", 443, FAKE_V2),
        (MomentoCredentials(FAKE_V1), "cache.one.example", 443, "fake-key"),
        (MomentoCredentials(FAKE_V1, "two.example"), "cache.one.example", 443, "fake-key"),
        (MomentoCredentials(FAKE_LEGACY), "cache.old.example", 443, FAKE_LEGACY),
        (MomentoCredentials(FAKE_V2, "two.example", local="localhost:99"), "localhost", 99, ""),
    ],
)
def test_keys_of_both_generations(credentials: MomentoCredentials, endpoint: str, port: int, token: str) -> None:
    provider = credential_provider(credentials)
    assert (provider.cache_endpoint, provider.port, provider.auth_token) == (endpoint, port, token)


def test_a_key_is_never_shown() -> None:
    assert FAKE_V1 not in repr(MomentoCredentials(FAKE_V1, "two.example"))


def test_the_module_loads_without_momento() -> None:
    script = (
        "import sys, chat_core.momento as m; m.MomentoMemoryStore(m.MomentoCache('c', None));"
        "print([name for name in ('momento', 'grpc', 'momento_wire_types') if name in sys.modules])"
    )
    environment = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"
