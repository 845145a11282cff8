from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.application import read_application
from local.gateway import MAX_BODY_BYTES, MAX_EVENT_BYTES, FunctionFailed, Gateway, IntegrationTimeout
from local.messages import HttpRequest, HttpResponse
from local.proxy_answer import MAX_ANSWER_BYTES
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Callable

APPLICATION = read_application(Path(__file__).parents[3] / "template.yaml")


class Function:
    """A function that answers at once; it keeps the events that reached it."""

    def __init__(self, answer: Callable[[bytes], Any]) -> None:
        self.events: list[bytes] = []
        self.answer = answer

    def invoke(self, event: bytes, *, trace_id: str, timeout: float) -> bytes:
        self.events.append(event)
        return json.dumps(self.answer(event)).encode()


def post(function: Function, body: bytes = b"{}", method: str = "POST", path: str = "/v1/responses") -> HttpResponse:
    gateway = Gateway(APPLICATION, {"ChatFunction": function, "HistoryFunction": function})
    headers = (("Content-Type", "application/json"),)
    return gateway.answer(HttpRequest(method, path, "", headers, body, "127.0.0.1"))


def refused(response: HttpResponse) -> dict[str, Any]:
    body = json.loads(response.body)
    assert_valid(body, "ErrorResponse")
    assert dict(response.headers)["Content-Type"] == "application/json"
    assert dict(response.headers)["x-amzn-RequestId"]
    error: dict[str, Any] = body["error"]
    return error


def ok(_event: bytes) -> dict[str, Any]:
    return {"statusCode": 200, "body": "{}"}


def raising(error: Exception) -> Callable[[bytes], Any]:
    def answer(_event: bytes) -> Any:
        raise error

    return answer


def test_an_answer_comes_through_with_the_requests_id() -> None:
    function = Function(ok)
    response = post(function)
    assert (response.status, response.body) == (200, b"{}")
    event = json.loads(function.events[0])
    assert ("x-amzn-RequestId", event["requestContext"]["requestId"]) in response.headers


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/responses"), ("POST", "/v1/nothing"), ("GET", "/v2/")])
def test_an_undefined_route_is_the_functions_to_answer_and_has_no_user(method: str, path: str) -> None:
    function = Function(ok)
    assert post(function, method=method, path=path).status == 200
    [event] = map(json.loads, function.events)
    assert (event["httpMethod"], event["resource"]) == (method, "/{proxy+}")
    assert "authorizer" not in event["requestContext"]


def test_the_root_is_404() -> None:
    function = Function(ok)
    response = post(function, method="GET", path="/")
    assert response.status == 404
    assert refused(response)["code"] == "not_found"
    assert not function.events


def test_a_body_over_10_mb_is_413() -> None:
    function = Function(ok)
    response = post(function, b"x" * (MAX_BODY_BYTES + 1))
    assert response.status == 413
    assert refused(response)["code"] == "request_too_large"
    assert not function.events


def test_an_event_may_have_6_mb_and_no_more() -> None:
    function = Function(ok)
    post(function)
    room = MAX_EVENT_BYTES - len(function.events[0]) + len(b"{}")
    assert post(function, b"x" * (room - 10)).status == 200
    response = post(function, b"x" * (room + 10))
    assert response.status == 413
    assert refused(response)["code"] == "request_too_large"
    assert len(function.events) == 2


@pytest.mark.parametrize(
    "function",
    [
        Function(raising(FunctionFailed("the handler raised"))),
        Function(lambda _: {"statusCode": 200, "body": "x" * MAX_ANSWER_BYTES}),
        Function(lambda _: {"status": 200}),
    ],
)
def test_a_function_that_fails_is_502(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    response = post(function)
    assert response.status == 502
    assert refused(response)["code"] == "internal_error"
    assert capsys.readouterr().out.startswith("ChatFunction: ")


def test_a_function_that_is_too_slow_is_504_and_not_retried() -> None:
    response = post(Function(raising(IntegrationTimeout())))
    assert response.status == 504
    assert refused(response)["code"] == "deadline_exceeded"
    assert dict(response.headers)["x-should-retry"] == "false"


@pytest.mark.parametrize(("status", "answered"), [(400, 400), (414, 414), (431, 431), (501, 404)])
def test_what_is_not_http_is_refused_in_the_same_form(status: int, answered: int) -> None:
    response = Gateway(APPLICATION, {}).bad_request(status)
    assert response.status == answered
    refused(response)
