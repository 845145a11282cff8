"""Every answer of every route that OpenAI has too, as the running server sends it, against OpenAI's own schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.dev_server import RunningServer

SAYS = {"role": "user", "content": "Hello"}


def send(server: RunningServer, method: str, path: str, body: object = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(server.url + path, data, {"content-type": "application/json"}, method=method)  # noqa: S310
    try:
        with urlopen(request) as answer:  # noqa: S310 - our own server
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_every_route(server: RunningServer) -> None:
    _, created = send(server, "POST", "/conversations", {"metadata": {"topic": "旅"}, "items": [SAYS]})
    assert_valid(created, "ConversationResource")
    path = f"/conversations/{created['id']}"
    turn = {"conversation": created["id"], "input": "What is my name?"}
    item = send(server, "GET", f"{path}/items")[1]["data"][0]["id"]
    for method, where, body, schema in [
        ("POST", "/responses", turn, "Response"),
        ("POST", "/responses", {"input": "stateless"}, "Response"),
        ("POST", "/chat/completions", {"messages": [SAYS]}, "CreateChatCompletionResponse"),
        ("POST", "/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}, "CreateEmbeddingResponse"),
        ("GET", path, None, "ConversationResource"),
        ("POST", path, {"metadata": {"topic": "x"}}, "ConversationResource"),
        ("POST", f"{path}/items", {"items": [SAYS]}, "ConversationItemList"),
        ("GET", f"{path}/items?order=asc&limit=2", None, "ConversationItemList"),
        ("GET", f"{path}/items/{item}", None, "ConversationItem"),
        ("DELETE", f"{path}/items/{item}", None, "ConversationResource"),
        ("DELETE", path, None, "DeletedConversationResource"),
    ]:
        status, answer = send(server, method, where, body)
        assert status == 200, (method, where, answer)
        assert_valid(answer, schema)


@pytest.mark.parametrize(
    ("method", "where", "body", "status"),
    [
        ("POST", "/responses", {}, 400),
        ("POST", "/chat/completions", {}, 400),
        ("POST", "/embeddings", {}, 400),
        ("GET", "/conversations/conv_00000000000000000000000000000000", None, 404),
        ("GET", "/conversations/a%2Fb", None, 400),
        ("DELETE", "/conversations", None, 400),
        ("PATCH", "/conversations", {}, 404),
        ("GET", "/no/such/route", None, 404),
        ("POST", "/responses", {"input": "x" * 6_300_000}, 413),
        ("POST", "/responses", {"input": "x" * 10_600_000}, 413),
    ],
)
def test_errors(server: RunningServer, method: str, where: str, body: Any, status: int) -> None:
    found, answer = send(server, method, where, body)
    assert found == status
    assert_valid(answer, "ErrorResponse")
