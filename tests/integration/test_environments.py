from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from local.application import read_application
from local.invocation import FunctionFailed, IntegrationTimeout, whole
from local.pool import FunctionPool
from tests.integration.fake_application import write_application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.invocation import Invoked

    Pools = Callable[..., FunctionPool]

PATIENCE = 60.0


@pytest.fixture
def pools(tmp_path: Path) -> Iterator[Pools]:
    functions = {function.name: function for function in read_application(write_application(tmp_path)).functions}
    started = []

    def start(name: str = "FakeFunction", *, maximum: int = 2) -> FunctionPool:
        function = functions[name]
        variables = {**function.environment, "PATH": os.environ["PATH"], "FAKE_WORLD": str(tmp_path)}
        started.append(FunctionPool(function, variables, maximum=maximum))
        return started[-1]

    yield start
    for pool in started:
        pool.stop()


def begin(pool: FunctionPool, what: str, **event: Any) -> Invoked:
    payload = json.dumps({"pathParameters": {"what": what}, **event}, ensure_ascii=False).encode()
    return pool.invoke(payload, trace_id="Root=1-2-3")


def invoke(pool: FunctionPool, what: str = "tell", *, timeout: float = PATIENCE, **event: Any) -> dict[str, Any]:
    answer = json.loads(whole(begin(pool, what, **event), timeout))
    told: dict[str, Any] = json.loads(answer["body"])
    return told


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def started(world: Path) -> int:
    return len(list(world.glob("started-*")))


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_one_environment_serves_what_comes_one_after_another(pools: Pools) -> None:
    pool = pools()
    assert len({invoke(pool)["pid"] for _ in range(3)}) == 1


def test_the_handler_finds_what_lambda_gives_it(pools: Pools, tmp_path: Path) -> None:
    told = invoke(pools(), body="渡辺直美さん 🎉")
    assert told["event"]["body"] == "渡辺直美さん 🎉"
    root = tmp_path.resolve()
    assert told["path"] == [str(root / "function"), str(root / "layer")]
    assert told["shared"] == "from the layer"
    environment, context = told["environment"], told["context"]
    assert environment["FROM_TEMPLATE"] == "template"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == context["function_name"] == "FakeFunction"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == context["memory_limit_in_mb"] == "256"
    assert environment["_X_AMZN_TRACE_ID"] == "Root=1-2-3"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert context["invoked_function_arn"].endswith(":function:FakeFunction")
    assert context["log_group_name"] == "/aws/lambda/FakeFunction"
    assert context["log_stream_name"]
    assert context["aws_request_id"]
    assert 0 < told["remaining"] <= 20_000


def test_what_a_handler_prints_does_not_disturb_its_answers(pools: Pools, capfd: pytest.CaptureFixture[str]) -> None:
    pool = pools()
    invoke(pool)
    invoke(pool)
    assert capfd.readouterr().out == "handles tell\nhandles tell\n"


def test_a_busy_function_gets_more_environments_and_beyond_the_maximum_invocations_wait(
    pools: Pools, tmp_path: Path
) -> None:
    pool = pools(maximum=2)
    with ThreadPoolExecutor(3) as callers:
        answers = [callers.submit(invoke, pool, "wait") for _ in range(3)]
        until(lambda: started(tmp_path) == 2)
        time.sleep(0.2)  # the third one's chance to be wrong
        assert started(tmp_path) == 2
        (tmp_path / "gate").touch()
        assert len({answer.result()["pid"] for answer in answers}) == 2
    assert started(tmp_path) == 3


def test_an_invocation_whose_caller_gave_up_waiting_is_never_made(pools: Pools, tmp_path: Path) -> None:
    pool = pools(maximum=1)
    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(invoke, pool, "wait")
        until(lambda: started(tmp_path) == 1)
        with pytest.raises(IntegrationTimeout):
            invoke(pool, "wait", timeout=0.05)
        (tmp_path / "gate").touch()
        assert first.result()["pid"] == invoke(pool)["pid"]
    assert started(tmp_path) == 1


def test_an_invocation_under_way_goes_on_when_its_caller_gave_up(pools: Pools, tmp_path: Path) -> None:
    pool = pools(maximum=1)
    pid = invoke(pool)["pid"]
    under_way = begin(pool, "wait")
    until(lambda: started(tmp_path) == 1)
    with pytest.raises(IntegrationTimeout):
        whole(under_way, 0.01)
    (tmp_path / "gate").touch()
    assert invoke(pool)["pid"] == pid


def test_a_handler_that_raises_keeps_its_environment(pools: Pools, capfd: pytest.CaptureFixture[str]) -> None:
    pool = pools()
    pid = invoke(pool)["pid"]
    with pytest.raises(FunctionFailed, match="raised"):
        invoke(pool, "raise")
    assert "ValueError: raised on purpose" in capfd.readouterr().err
    assert invoke(pool)["pid"] == pid


def test_an_environment_that_ends_is_followed_by_another(pools: Pools) -> None:
    pool = pools()
    pid = invoke(pool)["pid"]
    with pytest.raises(FunctionFailed, match="exit code 3"):
        invoke(pool, "exit")
    assert invoke(pool)["pid"] != pid


def test_an_idle_environment_that_was_killed_is_followed_by_another(pools: Pools) -> None:
    pool = pools()
    pid = invoke(pool)["pid"]
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert invoke(pool)["pid"] != pid


def test_an_environment_is_killed_at_the_functions_timeout(pools: Pools) -> None:
    pool = pools("ShortFunction")
    pid = invoke(pool)["pid"]
    with pytest.raises(FunctionFailed, match="timed out after 1 seconds"):
        invoke(pool, "sleep")
    assert ended(pid)
    assert invoke(pool)["pid"] != pid


def test_a_handler_that_cannot_be_imported_is_told(pools: Pools, capfd: pytest.CaptureFixture[str]) -> None:
    pool = pools("BrokenFunction")
    with pytest.raises(FunctionFailed, match=r"fake\.broken\.lambda_handler cannot be imported"):
        pool.warm()
    with pytest.raises(FunctionFailed, match="cannot be imported"):
        invoke(pool)
    assert "No module named 'no_such_module_anywhere'" in capfd.readouterr().err


def test_stopping_ends_busy_and_idle_environments(pools: Pools, tmp_path: Path) -> None:
    pool = pools()
    pid = invoke(pool)["pid"]
    with ThreadPoolExecutor(1) as callers:
        answer = callers.submit(invoke, pool, "wait")
        until(lambda: started(tmp_path) == 1)
        pool.stop()
        with pytest.raises(FunctionFailed, match="signal 9"):
            answer.result()
    assert ended(pid)
    with pytest.raises(RuntimeError):
        invoke(pool)
