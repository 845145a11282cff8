"""The stand-in model as a server: its counts, its end, its silence."""

from __future__ import annotations

import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx2
import pytest

from local.model.server import StandInModel
from tests.contract.stand_in_model.support import MODEL, post

if TYPE_CHECKING:
    from openai import OpenAI


def test_calls_and_requests_are_kept(model: StandInModel, client: OpenAI) -> None:
    def ask(number: int) -> str:
        return client.responses.create(model=MODEL, input=f"Question {number}").output_text

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(20)))) == 20
    client.embeddings.create(model=MODEL, input="last")
    assert model.calls == {"/v1/responses": 20, "/v1/embeddings": 1}
    assert {body["input"] for body in model.requests[:20]} == {f"Question {number}" for number in range(20)}
    assert model.requests[-1]["input"] == "last"


@pytest.mark.timeout(20)
def test_stop_ends_idle_and_waiting_connections() -> None:
    model = StandInModel()
    port = model.start()
    running = threading.active_count()
    model.delay = 60
    request = b"POST /v1/responses HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: 2\r\n\r\n{}"
    with (
        socket.create_connection(("127.0.0.1", port)) as idle,
        socket.create_connection(("127.0.0.1", port)) as waiting,
    ):
        waiting.sendall(request)
        while not model.requests:
            time.sleep(0.01)
        model.stop()
        assert idle.recv(100) == b""
        waiting.recv(100_000)
    while threading.active_count() >= running:
        time.sleep(0.01)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    model.stop()


def test_it_comes_back_where_it_was(model: StandInModel, http: httpx2.Client) -> None:
    post(http, "responses", {"input": "Hi"}, "Response")
    model.stop()
    with pytest.raises(httpx2.TransportError):
        http.post("responses", json={"model": MODEL, "input": "Hi"})
    model.start()
    post(http, "responses", {"input": "Hi"}, "Response")


def test_contents_are_never_logged(
    model: StandInModel, http: httpx2.Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG, logger="local"):
        post(http, "responses", {"input": "canary-in-the-text"}, "Response")
        http.post("responses", json={"model": MODEL, "input": ["canary-in-the-text"]})
        broken = {"type": "function", "name": "f", "parameters": {"required": {"canary": 1}, "properties": "canary"}}
        body = {"model": MODEL, "input": "Hi", "tools": [broken], "tool_choice": "required"}
        failed = http.post("responses", json=body)
    assert (failed.status_code, failed.json()["error"]["type"]) == (400, "invalid_request_error")
    assert model.requests
    assert "/v1/responses" in caplog.text
    captured = capfd.readouterr()
    assert "canary" not in caplog.text + captured.out + captured.err
    assert "/v1/responses" not in captured.out + captured.err
