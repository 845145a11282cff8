"""The authorizer before the routes of the dev server, as API Gateway has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.application import read_application
from local.authorizer import ACCESS_DENIED, FAILED, UNAUTHORIZED, Authorizer, Refused
from local.events import proxy_event
from local.gateway import Gateway
from local.invocation import FunctionFailed, Invocation
from local.messages import HttpRequest, HttpResponse
from local.routing import Router

APPLICATION = read_application(Path(__file__).parents[3] / "template.yaml")
STAGE = "arn:aws:execute-api:us-east-1:123456789012:local/local"


def policy(*, resource: str = f"{STAGE}/*", effect: str = "Allow", **context: str) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {"principalId": "p", "policyDocument": {"Statement": [statement]}, "context": context}


class Function:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[dict[str, Any]] = []

    def invoke(self, event: bytes, *, trace_id: str) -> Invocation:
        self.asked.append(json.loads(event))
        made = Invocation()
        if isinstance(self.answer, FunctionFailed):
            made.end(self.answer)
        else:
            made.add(json.dumps(self.answer).encode())
            made.end()
        return made


def event(*authorization: str, path: str = "/v1/conversations") -> dict[str, Any]:
    headers = tuple(("Authorization", one) for one in authorization)
    request = HttpRequest("GET", path, "", (*headers, ("X-Omoide-User", "alice")), b"", "127.0.0.1")
    match = Router(APPLICATION.routes).match("GET", path)
    assert match is not None
    return proxy_event(request, match, request_id="r", trace_id="t", now=0.0)


def decide(authorizer: Authorizer, *authorization: str) -> Any:
    try:
        return authorizer.context(event(*authorization), trace_id="t")
    except Refused as refused:
        return refused.refusal


def test_the_functions_are_told_what_the_authorizer_said() -> None:
    function = Function(policy(kind="user", tenant="naomi"))
    told = decide(Authorizer(function, 300), "Bearer a")
    assert told == {"kind": "user", "tenant": "naomi", "principalId": "p", "integrationLatency": 0}
    [asked] = function.asked
    assert (asked["type"], asked["methodArn"]) == ("REQUEST", f"{STAGE}/GET/v1/conversations")
    assert asked["multiValueHeaders"]["Authorization"] == ["Bearer a"]
    assert "authorizer" not in asked["requestContext"]
    assert "body" not in asked


def test_what_it_said_is_remembered_by_the_credential_alone_and_for_so_long() -> None:
    now = [0.0]
    function = Function(policy(kind="app", tenant="a"))
    authorizer = Authorizer(function, 300, clock=lambda: now[0])
    for moment, asked in [(0, 1), (299, 1), (300, 2), (301, 2)]:
        now[0] = moment
        assert decide(authorizer, "Bearer a")["tenant"] == "a"
        assert len(function.asked) == asked
    decide(authorizer, "Bearer b")
    assert len(function.asked) == 3


def test_a_refusal_is_asked_for_again() -> None:
    function = Function(FunctionFailed("it raised", kind="Exception"))
    authorizer = Authorizer(function, 300)
    assert [decide(authorizer, "Bearer a") for _ in range(2)] == [UNAUTHORIZED] * 2
    assert len(function.asked) == 2


@pytest.mark.parametrize("authorization", [(), ("",)])
def test_without_a_credential_nobody_is_asked(authorization: tuple[str, ...]) -> None:
    function = Function(policy())
    assert decide(Authorizer(function, 300), *authorization) == UNAUTHORIZED
    assert not function.asked


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (FunctionFailed("it raised", kind="IssuerUnavailable"), FAILED),
        (FunctionFailed("timed out"), FAILED),
        ([], FAILED),
        ({"principalId": "p"}, FAILED),
        (policy(effect="Deny"), ACCESS_DENIED),
        (policy(resource=f"{STAGE}/POST/*"), ACCESS_DENIED),
        (policy(resource="arn:aws:execute-api:us-east-1:123456789012:other/local/*"), ACCESS_DENIED),
    ],
)
def test_what_is_no_leave_is_refused(answer: Any, refusal: Any) -> None:
    assert decide(Authorizer(Function(answer), 300), "Bearer a") == refusal


@pytest.mark.parametrize(("path", "status"), [("/v1/conversations", 401), ("/v1/models", 401), ("/health", 200)])
def test_only_open_routes_need_no_credential(path: str, status: int) -> None:
    answer: Any = {"statusCode": 200, "body": "{}"}
    functions: Any = {function.name: Function(answer) for function in APPLICATION.functions}
    gateway = Gateway(APPLICATION, functions, authorizer=Authorizer(Function(policy()), 300))
    found = gateway.answer(HttpRequest("GET", path, "", (("X-Local-User", "eve"),), b"", "127.0.0.1"))
    assert isinstance(found, HttpResponse)
    assert found.status == status


def test_an_authorizer_that_cannot_say_who_asks_is_503() -> None:
    function = Function(FunctionFailed("it raised", kind="IssuerUnavailable"))
    gateway = Gateway(APPLICATION, {}, authorizer=Authorizer(function, 300))
    headers = (("Authorization", "Bearer a"),)
    found = gateway.answer(HttpRequest("GET", "/v1/conversations", "", headers, b"", "127.0.0.1"))
    assert isinstance(found, HttpResponse)
    assert (found.status, json.loads(found.body)["error"]["code"]) == (503, "authorizer_unavailable")
