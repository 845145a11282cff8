"""The runtime loop as a process of its own, against a Runtime API and a gateway that are not Lambda's."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.runtime_api import EnvironmentEnded, Event, RuntimeApi, RuntimeFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAYER = Path(__file__).parents[3] / "layers" / "chat_core"
PATIENCE = 20.0
PRELUDE = b'{"statusCode": 200, "headers": {"X-One": "1"}}' + bytes(8)
SECRET = "渡辺直美の秘密"

HANDLER = f"""
import os, pathlib, time

WORLD = pathlib.Path(os.environ["WORLD"])

def reached(name):
    (WORLD / name).touch()

def wait_for(name):
    while not (WORLD / name).exists():
        time.sleep(0.005)

def lambda_handler(event, context):
    return {{"whole": event, "ms": context.get_remaining_time_in_millis(), "trace": os.environ["_X_AMZN_TRACE_ID"]}}

def streaming_handler(event, context, send):
    what = event["do"]
    if what == "nothing":
        return
    if what == "raise at once":
        raise ValueError("{SECRET}")
    send({{"statusCode": 200, "headers": {{"X-One": "1"}}}})
    if what == "raise later":
        send(b"one")
        raise ValueError("{SECRET}")
    if what == "step by step":
        for step in ("one", "two", "three"):
            wait_for(step)
            send(step.encode())
    if what == "a lot":
        for _ in range(200):
            send(bytes(100_000))
        reached("all sent")
    if what == "empty pieces":
        for piece in (b"", b"one", b"", b"two", b""):
            send(piece)
    if what == "go on":
        wait_for("gone")
        for _ in range(100):
            send(bytes(100_000))
        reached("end")
    send(str(os.getpid()).encode())
"""


class Environment:
    """A process that runs the loop, and its Runtime API."""

    def __init__(self, api: RuntimeApi, process: subprocess.Popen[str]) -> None:
        self.api = api
        self.process = process

    def pieces(self, timeout: float = PATIENCE, **event: Any) -> Iterator[bytes]:
        return self.api.invoke(
            Event(json.dumps(event).encode(), f"id-{time.monotonic_ns()}", "Root=1-2-3", "it", timeout)
        )

    def log(self) -> list[dict[str, Any]]:
        """End the process and read what it has logged."""
        self.api.close()
        output, _ = self.process.communicate(timeout=PATIENCE)
        return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Environment]]:
    """Start the loop as ``stream.sh`` does, with a handler's source."""
    started: list[Environment] = []

    @contextmanager
    def lifeline() -> Iterator[tuple[socket.socket, int]]:
        ours, theirs = socket.socketpair()
        with theirs:
            yield ours, theirs.fileno()

    def begin(
        source: str = HANDLER, *, make: Callable[[socket.socket], RuntimeApi] = RuntimeApi, **variables: str
    ) -> Environment:
        (tmp_path / "given.py").write_text(textwrap.dedent(source), "utf-8")
        with lifeline() as (ours, descriptor):
            api = make(ours)
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "chat_core.runtime"],
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": str(LAYER),
                    "AWS_LAMBDA_RUNTIME_API": api.address,
                    "LAMBDA_TASK_ROOT": str(tmp_path),
                    "_HANDLER": "given.lambda_handler",
                    "WORLD": str(tmp_path),
                    **variables,
                },
                pass_fds=(descriptor,),
                stdout=subprocess.PIPE,
                text=True,
            )
        started.append(Environment(api, process))
        return started[-1]

    yield begin
    for environment in started:
        environment.process.kill()
        environment.process.communicate()
        environment.api.close()


def until(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, path.name
        time.sleep(0.01)


def test_each_piece_leaves_before_the_next_is_made(start: Callable[..., Environment], tmp_path: Path) -> None:
    pieces = start().pieces(do="step by step")
    assert next(pieces) == PRELUDE
    for step in ("one", "two", "three"):
        (tmp_path / step).touch()
        assert next(pieces) == step.encode()
    assert len(list(pieces)) == 1


def test_an_empty_piece_is_not_the_end(start: Callable[..., Environment]) -> None:
    assert list(start().pieces(do="empty pieces"))[:-1] == [PRELUDE, b"one", b"two"]


def test_a_thousand_invocations_run_on_one_connection(start: Callable[..., Environment]) -> None:
    environment = start()
    answers = {b"".join(environment.pieces(do="tell")) for _ in range(1000)}
    assert answers == {PRELUDE + str(environment.process.pid).encode()}
    assert len(environment.api._connections) == 1


@pytest.mark.parametrize(("do", "kind"), [("raise at once", "ValueError"), ("nothing", "NothingAnswered")])
def test_an_error_before_the_status_is_reported_without_its_text(
    start: Callable[..., Environment], do: str, kind: str
) -> None:
    environment = start()
    with pytest.raises(RuntimeFailed, match=kind) as failed:
        list(environment.pieces(do=do))
    assert failed.value.report["errorType"] == kind
    assert failed.value.report["errorMessage"] == ""
    assert any("loop.py" in place for place in failed.value.report["stackTrace"])
    assert SECRET not in json.dumps(failed.value.report, ensure_ascii=False)
    assert PRELUDE in list(environment.pieces(do="tell"))
    [line] = environment.log()
    assert (line["level"], line["errorType"]) == ("ERROR", kind)
    assert SECRET not in json.dumps(line, ensure_ascii=False)


def test_an_error_after_the_status_is_told_in_the_trailers(start: Callable[..., Environment]) -> None:
    environment = start(make=Recording)
    pieces = environment.pieces(do="raise later")
    assert [next(pieces), next(pieces)] == [PRELUDE, b"one"]
    with pytest.raises(RuntimeFailed, match="ValueError"):
        next(pieces)
    assert isinstance(environment.api, Recording)
    trailers = environment.api.requests[-1].trailers
    report = json.loads(base64.b64decode(trailers["Lambda-Runtime-Function-Error-Body"]))
    assert report["errorType"] == trailers["Lambda-Runtime-Function-Error-Type"] == "ValueError"
    assert SECRET not in json.dumps(report, ensure_ascii=False)
    assert PRELUDE in list(environment.pieces(do="tell"))


def test_a_slow_reader_does_not_hold_the_handler_up(start: Callable[..., Environment], tmp_path: Path) -> None:
    pieces = start().pieces(do="a lot")
    assert next(pieces) == PRELUDE
    until(tmp_path / "all sent")  # 20 MB, and nobody has read them
    assert sum(map(len, pieces)) > 20_000_000


def test_a_reader_that_is_gone_does_not_end_the_handler(start: Callable[..., Environment], tmp_path: Path) -> None:
    environment = start()
    assert next(environment.pieces(do="go on")) == PRELUDE
    environment.api.close()
    (tmp_path / "gone").touch()
    until(tmp_path / "end")
    assert environment.process.wait(PATIENCE) == 1  # and there is nobody to ask for more


def test_a_handler_that_does_not_stream_answers_whole(start: Callable[..., Environment]) -> None:
    source = HANDLER.replace("def streaming_handler", "def other")
    [answer] = start(source).pieces(do="渡")
    told = json.loads(answer)
    assert told["whole"] == {"do": "渡"}
    assert 0 < told["ms"] <= PATIENCE * 1000
    assert told["trace"] == "Root=1-2-3"


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError", "No module named 'no_such_module_anywhere'"),
        ("def other(): pass", "AttributeError", ""),
        ("def lambda_handler(:", "SyntaxError", ""),
        (f"raise ValueError('{SECRET}')", "ValueError", ""),
    ],
)
def test_a_handler_that_cannot_be_had_ends_the_environment(
    start: Callable[..., Environment], source: str, kind: str, message: str
) -> None:
    environment = start(source)
    with pytest.raises(RuntimeFailed, match=kind) as failed:
        environment.api.wait(PATIENCE)
    assert failed.value.report["errorMessage"] == message
    assert environment.process.wait(PATIENCE) == 1


def test_a_killed_environment_is_noticed(start: Callable[..., Environment]) -> None:
    environment = start()
    pieces = environment.pieces(do="step by step")
    assert next(pieces) == PRELUDE
    environment.process.kill()
    with pytest.raises(EnvironmentEnded):
        next(pieces)


class Recording(RuntimeApi):
    """Keeps the requests, and which files there were when they came."""

    def __init__(self, lifeline: socket.socket) -> None:
        super().__init__(lifeline)
        self.requests: list[Any] = []
        self.files: list[set[str]] = []
        self.world = Path()

    def _request(self, deadline: float) -> Any:
        request = super()._request(deadline)
        self.requests.append(request)
        self.files.append({path.name for path in self.world.iterdir()} & {"before", "after"})
        return request


def test_a_snapshot_is_taken_between_what_is_registered_for_before_and_after(
    start: Callable[..., Environment], tmp_path: Path
) -> None:
    source = HANDLER + textwrap.dedent("""
        import snapshot_restore_py
        snapshot_restore_py.register_before_snapshot(reached, "before")
        snapshot_restore_py.register_after_restore(reached, "after")
    """)
    environment = start(source, make=Recording, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    assert isinstance(environment.api, Recording)
    environment.api.world = tmp_path
    environment.api.wait(PATIENCE)
    paths = [request.path.rpartition("/runtime/")[2] for request in environment.api.requests]
    assert paths == ["restore/next", "invocation/next"]
    assert environment.api.files == [{"before"}, {"before", "after"}]


def test_the_garbage_collector_rests_while_a_handler_is_imported_and_leaves_it_alone(tmp_path: Path) -> None:
    (tmp_path / "resting.py").write_text("import gc\nRESTED = not gc.isenabled()\ndef handler(event, context): ...\n")
    code = (
        "import gc; from chat_core.runtime.loop import find_handler; find_handler('resting.handler'); "
        "import resting; print(resting.RESTED, gc.isenabled(), gc.get_freeze_count() > 1_000)"
    )
    paths = os.pathsep.join(map(str, (LAYER, tmp_path)))
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": paths}
    )
    assert done.stdout == "True True True\n"
