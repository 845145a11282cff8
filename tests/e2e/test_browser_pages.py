"""Web pages of another origin: what they may ask, and what they can read of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.conftest import PAGE

if TYPE_CHECKING:
    from tests.dev_server import RunningServer

CHAT = "/responses"


def ask(server: RunningServer, method: str, path: str, body: Any = None, *, origin: str = PAGE) -> httpx2.Response:
    headers = {"Origin": origin, "Authorization": "Bearer fake"}
    return httpx2.request(method, server.url + path, json=body, headers=headers, timeout=60)


def exposed(answer: httpx2.Response) -> set[str]:
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["vary"] == "Origin"
    return set(answer.headers["access-control-expose-headers"].lower().split(","))


def test_the_browser_asks_first_and_without_a_token(server: RunningServer) -> None:
    wanted = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-local-user,x-stainless-retry-count",
    }
    answer = httpx2.request("OPTIONS", server.url + CHAT, headers=wanted)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    allowed = answer.headers["access-control-allow-headers"].lower().split(",")
    assert set(wanted["Access-Control-Request-Headers"].split(",")) <= set(allowed)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_can_be_read(server: RunningServer, stream: bool) -> None:
    answer = ask(server, "POST", CHAT, {"model": "m", "input": "Hello", "stream": stream})
    assert answer.status_code == 200
    assert {"x-request-id", "x-cache", "cache-status", "server-timing"} <= exposed(answer) & set(answer.headers)
    assert ("text/event-stream" in answer.headers["content-type"]) == stream


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", CHAT, {"input": ""}, 400),
        ("GET", "/conversations/conv_00000000000000000000000000000000", None, 404),
        ("GET", "/no/such/route", None, 404),
    ],
)
def test_an_error_can_be_read(server: RunningServer, method: str, path: str, body: Any, status: int) -> None:
    answer = ask(server, method, path, body)
    assert answer.status_code == status
    assert "x-request-id" in exposed(answer)


def test_what_the_gateway_answers_by_itself_can_be_read(server: RunningServer) -> None:
    answer = ask(server, "POST", CHAT, {"input": "x" * 10_600_000})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (413, PAGE)


def test_a_page_that_is_not_named_is_refused(server: RunningServer) -> None:
    for method in ("OPTIONS", "POST"):
        answer = ask(server, method, CHAT, {"model": "m", "input": "x"}, origin="https://evil.example")
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
