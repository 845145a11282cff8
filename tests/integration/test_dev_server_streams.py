"""Answers that the dev server hands on as they come, through a function's own environment."""

from __future__ import annotations

import http.client
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.dev_server import RunningServer, running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 60.0


@pytest.fixture(scope="module")
def server(world: Path) -> Iterator[RunningServer]:
    with running_server({"FAKE_WORLD": str(world)}, ["--template", str(world / "template.yaml")]) as running:
        yield running


@pytest.fixture(autouse=True)
def closed_gate(world: Path) -> None:
    (world / "gate").unlink(missing_ok=True)
    (world / "done").unlink(missing_ok=True)


def begin(server: RunningServer, what: str) -> Any:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    connection.request("POST", f"/v1/{what}", b"{}", {"Content-Type": "application/json"})
    return closing(connection), connection.getresponse()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def test_a_piece_is_there_before_the_next_is_made(server: RunningServer, world: Path) -> None:
    for _ in range(2):  # the environment lives on
        (world / "gate").unlink(missing_ok=True)
        closing_connection, answer = begin(server, "stream/tell")
        with closing_connection:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert answer.headers["x-amzn-RequestId"]
            assert answer.read1() == b"one"
            (world / "gate").touch()
            assert answer.read() == b"two"


@pytest.mark.parametrize("what", ["raise-later", "exit"])
def test_a_function_that_fails_in_its_body_breaks_the_connection(server: RunningServer, world: Path, what: str) -> None:
    closing_connection, answer = begin(server, f"stream/{what}")
    with closing_connection:
        assert answer.read1() == b"one"
        (world / "gate").touch()
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    until(lambda: f"POST /v1/stream/{what} broke off" in server.output())


def test_a_client_that_goes_away_does_not_end_the_function(server: RunningServer, world: Path) -> None:
    closing_connection, answer = begin(server, "stream/tell")
    with closing_connection:
        assert answer.read1() == b"one"
        answer.close()
    (world / "gate").touch()
    until((world / "done").exists)


def test_a_client_of_http_1_0_reads_to_the_connections_end(server: RunningServer, world: Path) -> None:
    (world / "gate").touch()
    address = urlsplit(server.url)
    with socket.create_connection(("127.0.0.1", address.port or 0), PATIENCE) as client:
        head = f"POST /v1/stream/tell HTTP/1.0\r\nHost: {address.netloc}\r\nContent-Length: 2\r\n\r\n"
        client.sendall(head.encode() + b"{}")
        answer = b"".join(iter(lambda: client.recv(1 << 16), b""))
    assert answer.endswith(b"\r\n\r\nonetwo")


def test_an_answer_as_it_comes_is_no_answer_of_a_route_that_is_whole(server: RunningServer, world: Path) -> None:
    (world / "gate").touch()
    closing_connection, answer = begin(server, "whole/tell")
    with closing_connection:
        assert answer.status == 502


def test_without_its_loop_a_function_answers_whole_and_a_route_that_streams_is_502(world: Path) -> None:
    variables = {"FAKE_WORLD": str(world), "AWS_LAMBDA_EXEC_WRAPPER": ""}
    with running_server(variables, ["--template", str(world / "template.yaml")]) as running:
        for what, status in (("whole/tell", 200), ("stream/tell", 502)):
            closing_connection, answer = begin(running, what)
            with closing_connection:
                assert answer.status == status
                assert status != 200 or answer.read() == b"whole"
