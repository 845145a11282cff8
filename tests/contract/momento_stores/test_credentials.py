"""Keys: refused, renewed, late, and never shown."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import grpc
import jwt
import pytest

from chat_core.errors import CacheUnavailable, SecretUnavailable, StoreUnavailable
from chat_core.momento import (
    MomentoCache,
    MomentoCredentials,
    credential_provider,
)
from tests.contract.momento_stores.support import HERE, SECONDS, SOON, Clock, Credentials, Run, Stores, append, reason

if TYPE_CHECKING:
    from local.momento import EmbeddedMomento

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
