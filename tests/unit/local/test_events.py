from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.application import Route
from local.events import proxy_event
from local.messages import HttpRequest
from local.routing import Match

MATCH = Match(Route("POST", "/v1/conversations/{conversation_id}", "F"), {"conversation_id": "a%20b"})
JSON_TYPE = ("Content-Type", "application/json")


def request(**changes: Any) -> HttpRequest:
    fields: dict[str, Any] = {
        "method": "POST",
        "path": "/v1/conversations/a%20b",
        "query": "",
        "headers": (JSON_TYPE,),
        "body": b"{}",
        "source_ip": "127.0.0.1",
    }
    return HttpRequest(**{**fields, **changes})


def event(**changes: Any) -> dict[str, Any]:
    return proxy_event(request(**changes), MATCH, request_id="r-1", trace_id="Root=1-2-3", now=1_700_000_000.5)


def test_repeated_headers_are_all_there_and_the_last_one_counts() -> None:
    built = event(headers=(("Accept", "a"), ("X-Tag", "1"), ("x-tag", "2"), ("X-TAG", "3")))
    assert built["multiValueHeaders"]["X-Tag"] == ["1", "2", "3"]
    assert built["headers"]["X-Tag"] == "3"
    assert "x-tag" not in built["headers"]


def test_a_connections_own_headers_stay_outside() -> None:
    hidden = ("Connection", "Content-Length", "Transfer-Encoding", "Expect", "Keep-Alive", "TE", "Upgrade")
    built = event(headers=(*((name, "x") for name in hidden), ("Host", "localhost:8000")))
    assert sorted(built["headers"]) == ["Host", "X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Proto"]


def test_the_clients_own_trace_id_is_kept() -> None:
    assert event(headers=(("x-amzn-trace-id", "mine"),))["multiValueHeaders"]["x-amzn-trace-id"] == ["mine"]
    assert event()["headers"]["X-Amzn-Trace-Id"] == "Root=1-2-3"


def test_a_route_without_an_authorizer_gets_no_claims() -> None:
    match = Match(Route("ANY", "/{proxy+}", "F", authorized=False), {"proxy": "v2"})
    named = request(headers=(JSON_TYPE, ("X-Local-User", "naomi")))
    built = proxy_event(named, match, request_id="r-1", trace_id="Root=1-2-3", now=1_700_000_000.5)
    assert "authorizer" not in built["requestContext"]
    assert "X-Local-User" not in built["headers"]


def test_query_parameters_are_decoded_and_repeated_ones_kept() -> None:
    built = event(query="tag=a%20b&tag=c+d&empty=&tag=%E6%B8%A1&plus=1%2B1&flag")
    assert built["multiValueQueryStringParameters"] == {
        "tag": ["a b", "c d", "渡"],
        "empty": [""],
        "plus": ["1+1"],
        "flag": [""],
    }
    assert built["queryStringParameters"] == {"tag": "渡", "empty": "", "plus": "1+1", "flag": ""}


def test_no_query_and_no_body_are_null() -> None:
    built = event(body=b"")
    assert built["queryStringParameters"] is None
    assert built["multiValueQueryStringParameters"] is None
    assert built["body"] is None
    assert built["isBase64Encoded"] is False
    assert built["stageVariables"] is None


def test_paths_stay_percent_encoded() -> None:
    built = event()
    assert built["path"] == "/v1/conversations/a%20b"
    assert built["pathParameters"] == {"conversation_id": "a%20b"}
    assert built["resource"] == "/v1/conversations/{conversation_id}"
    assert built["requestContext"]["path"] == "/local/v1/conversations/a%20b"
    assert built["requestContext"]["resourcePath"] == "/v1/conversations/{conversation_id}"


def test_the_context_tells_the_request() -> None:
    context = event(headers=(("User-Agent", "curl/8"), ("Host", "localhost:8000")))["requestContext"]
    assert context["requestId"] == "r-1"
    assert context["httpMethod"] == "POST"
    assert context["requestTimeEpoch"] == 1_700_000_000_500
    assert context["requestTime"] == "14/Nov/2023:22:13:20 +0000"
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "curl/8"
    assert context["identity"]["cognitoIdentityId"] is None
    assert context["protocol"] == "HTTP/1.1"


@pytest.mark.parametrize(
    ("headers", "user"),
    [
        ((), "local"),
        ((("Authorization", "Bearer anything"),), "local"),
        ((("X-Local-User", "naomi"),), "naomi"),
        ((("x-local-user", "a"), ("X-LOCAL-USER", "b")), "b"),
        ((("X-Local-User", ""),), "local"),
        ((("X-Local-User", "直美".encode().decode("latin-1")),), "直美"),
    ],
)
def test_the_user_comes_in_the_claims_alone(headers: tuple[tuple[str, str], ...], user: str) -> None:
    built = event(headers=headers)
    assert built["requestContext"]["authorizer"]["claims"] == {
        "sub": user,
        "cognito:username": user,
        "token_use": "id",
    }
    assert not [name for name in built["multiValueHeaders"] if name.lower() == "x-local-user"]


@given(st.text())
def test_text_bodies_pass_as_they_are(text: str) -> None:
    body = text.encode("utf-8", "ignore")
    built = event(body=body)
    assert (built["body"] or "").encode() == body
    assert built["isBase64Encoded"] is False


@given(st.binary(min_size=1))
def test_no_body_is_changed(body: bytes) -> None:
    built = event(body=body)
    decoded = base64.b64decode(built["body"]) if built["isBase64Encoded"] else built["body"].encode()
    assert decoded == body
    json.dumps(built, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    "headers",
    [
        (JSON_TYPE, ("Content-Encoding", "gzip")),
        (("content-type", "image/png"),),
        (("Content-Type", "Application/Octet-Stream"),),
    ],
)
def test_what_is_called_binary_is_base64(headers: tuple[tuple[str, str], ...]) -> None:
    built = event(headers=headers, body=b"abc")
    assert built["isBase64Encoded"] is True
    assert built["body"] == "YWJj"
