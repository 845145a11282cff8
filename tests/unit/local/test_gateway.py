from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.application import Route, read_application
from local.gateway import MAX_BODY_BYTES, MAX_EVENT_BYTES, Gateway, Limits
from local.invocation import FunctionFailed, Invocation
from local.messages import HttpRequest, HttpResponse, StreamBroken, StreamedResponse
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

    def invoke(self, event: bytes, *, trace_id: str) -> Invocation:
        self.events.append(event)
        return invocation(json.dumps(self.answer(event)).encode())


class StreamingFunction:
    """A function whose answer is what its invocation is given."""

    def __init__(self, invoked: Invocation) -> None:
        self.invoked = invoked

    def invoke(self, event: bytes, *, trace_id: str) -> Invocation:
        return self.invoked


def invocation(*pieces: bytes, failure: str | None = "") -> Invocation:
    """Make one whose pieces are all there; it ends, fails for a reason, or, with None, goes on."""
    made = Invocation()
    for piece in pieces:
        made.add(piece)
    if failure is not None:
        made.end(FunctionFailed(failure) if failure else None)
    return made


def request(body: bytes = b"{}", method: str = "POST", path: str = "/v1/responses") -> HttpRequest:
    return HttpRequest(method, path, "", (("Content-Type", "application/json"),), body, "127.0.0.1")


def post(function: Function, body: bytes = b"{}", method: str = "POST", path: str = "/v1/responses") -> HttpResponse:
    application = replace(APPLICATION, routes=tuple(replace(route, streams=False) for route in APPLICATION.routes))
    response = Gateway(application, {"ChatFunction": function, "HistoryFunction": function}).answer(
        request(body, method, path)
    )
    assert isinstance(response, HttpResponse)
    return response


def stream(invoked: Invocation, **limits: float) -> HttpResponse | StreamedResponse:
    application = replace(APPLICATION, routes=(Route("POST", "/v1/responses", "It", streams=True),))
    return Gateway(application, {"It": StreamingFunction(invoked)}, limits=Limits(**limits)).answer(request())


def whole(invoked: Invocation, **limits: float) -> HttpResponse:
    application = replace(APPLICATION, routes=(Route("POST", "/v1/responses", "It"),))
    response = Gateway(application, {"It": StreamingFunction(invoked)}, limits=Limits(**limits)).answer(request())
    assert isinstance(response, HttpResponse)
    return response


def streamed(response: HttpResponse | StreamedResponse) -> list[bytes]:
    assert isinstance(response, StreamedResponse)
    return list(response.pieces)


def refused(response: HttpResponse) -> dict[str, Any]:
    body = json.loads(response.body)
    assert_valid(body, "ErrorResponse")
    assert dict(response.headers)["Content-Type"] == "application/json"
    assert dict(response.headers)["x-amzn-RequestId"]
    error: dict[str, Any] = body["error"]
    return error


def ok(_event: bytes) -> dict[str, Any]:
    return {"statusCode": 200, "body": "{}"}


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
        Function(lambda _: {"statusCode": 200, "body": "x" * MAX_ANSWER_BYTES}),
        Function(lambda _: {"status": 200}),
    ],
)
def test_a_function_that_fails_is_502(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    response = post(function)
    assert response.status == 502
    assert refused(response)["code"] == "internal_error"
    assert capsys.readouterr().out.startswith("ChatFunction: ")


def test_a_function_that_raises_is_502() -> None:
    response = whole(invocation(failure="the handler raised"))
    assert response.status == 502
    assert refused(response)["code"] == "internal_error"


def test_a_function_that_is_too_slow_is_504_and_not_retried() -> None:
    response = whole(invocation(failure=None), whole=0.01)
    assert response.status == 504
    assert refused(response)["code"] == "deadline_exceeded"
    assert dict(response.headers)["x-should-retry"] == "false"


# Answers as they come


PRELUDE = b'{"statusCode":200,"multiValueHeaders":{"Content-Type":["text/event-stream"]}}' + bytes(8)


def test_a_streamed_answer_comes_through_piece_by_piece() -> None:
    invoked = invocation(PRELUDE, b"one", failure=None)
    response = stream(invoked)
    assert isinstance(response, StreamedResponse)
    assert response.status == 200
    assert response.headers[0] == ("Content-Type", "text/event-stream")
    assert response.headers[1][0] == "x-amzn-RequestId"
    assert next(response.pieces) == b"one"
    invoked.add(b"two")
    assert next(response.pieces) == b"two"
    invoked.end()
    assert list(response.pieces) == []


@pytest.mark.parametrize("pieces", [[PRELUDE + b"body"], [PRELUDE[:20], PRELUDE[20:-3], PRELUDE[-3:] + b"body"]])
def test_the_prelude_may_come_in_any_pieces(pieces: list[bytes]) -> None:
    assert streamed(stream(invocation(*pieces))) == [b"body"]


@pytest.mark.parametrize(
    "invoked",
    [
        invocation(failure="the handler raised"),
        invocation(PRELUDE[:-1]),
        invocation(b'{"statusCode":200,"body":"whole"}'),
        invocation(b'{"statusCode":200,"body":"whole"}' + bytes(8)),
        invocation(b"no JSON" + bytes(8)),
    ],
)
def test_what_fails_before_the_body_is_502(invoked: Invocation) -> None:
    response = stream(invoked)
    assert isinstance(response, HttpResponse)
    assert response.status == 502
    assert refused(response)["code"] == "internal_error"


def test_a_function_that_does_not_begin_in_time_is_504() -> None:
    response = stream(invocation(failure=None), idle=0.01)
    assert isinstance(response, HttpResponse)
    assert response.status == 504


@pytest.mark.parametrize(
    ("failure", "limits"),
    [("the environment ended", {}), (None, {"idle": 0.01}), (None, {"streamed": 0.01})],
)
def test_what_fails_in_the_body_breaks_it_off(failure: str | None, limits: dict[str, float]) -> None:
    response = stream(invocation(PRELUDE, b"one", failure=failure), **limits)
    assert isinstance(response, StreamedResponse)
    assert next(response.pieces) == b"one"
    with pytest.raises(StreamBroken):
        next(response.pieces)


def test_a_streamed_answer_on_a_route_that_does_not_stream_is_502() -> None:
    assert whole(invocation(PRELUDE, b"one")).status == 502


@pytest.mark.parametrize(("status", "answered"), [(400, 400), (414, 414), (431, 431), (501, 404)])
def test_what_is_not_http_is_refused_in_the_same_form(status: int, answered: int) -> None:
    response = Gateway(APPLICATION, {}).bad_request(status)
    assert response.status == answered
    refused(response)
