from __future__ import annotations

import json
from typing import Any

import pytest

from local.proxy_answer import MAX_ANSWER_BYTES, MalformedAnswer, http_response


def read(answer: Any) -> Any:
    return http_response(json.dumps(answer, ensure_ascii=False).encode())


def test_headers_of_both_kinds_are_merged() -> None:
    response = read(
        {
            "statusCode": 201,
            "headers": {"X-One": "1", "Set-Cookie": "b"},
            "multiValueHeaders": {"Set-Cookie": ["a", "b"], "Content-Type": ["text/plain"]},
            "body": "渡",
        }
    )
    assert response.status == 201
    assert response.headers == (
        ("Set-Cookie", "a"),
        ("Set-Cookie", "b"),
        ("Content-Type", "text/plain"),
        ("X-One", "1"),
    )
    assert response.body == "渡".encode()


def test_what_is_left_out_has_a_default() -> None:
    response = read({"statusCode": "204"})
    assert (response.status, response.body) == (204, b"")
    assert response.headers == (("Content-Type", "application/json"),)


def test_base64_is_decoded() -> None:
    assert read({"statusCode": 200, "body": "AAH/", "isBase64Encoded": True}).body == b"\x00\x01\xff"


def test_the_connections_own_headers_are_the_servers() -> None:
    response = read({"statusCode": 200, "headers": {"Content-Length": 7, "connection": "close", "Age": 3}})
    assert response.headers == (("Age", "3"), ("Content-Type", "application/json"))


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "text",
        {},
        {"statusCode": None},
        {"statusCode": 99},
        {"statusCode": "ok"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "%%%", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": None}},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "multiValueHeaders": {"a": "b"}},
    ],
)
def test_malformed_answers_are_refused(answer: Any) -> None:
    with pytest.raises(MalformedAnswer):
        read(answer)


def test_an_answer_may_have_6_mb_and_no_more() -> None:
    answer = {"statusCode": 200, "body": ""}
    room = MAX_ANSWER_BYTES - len(json.dumps(answer))
    assert len(read({**answer, "body": "x" * room}).body) == room
    with pytest.raises(MalformedAnswer, match="6291557 bytes"):
        read({**answer, "body": "x" * (room + 1)})
