"""Every answer of every route that OpenAI has too, as the running server sends it, against OpenAI's own schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.described import description, operation_of
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.described import Held
    from tests.dev_server import RunningServer

SAYS = {"role": "user", "content": "Hello"}


def send(server: RunningServer, method: str, path: str, body: object = None) -> tuple[int, Any]:
    url = server.url.removesuffix("/v1") + path if path == HEALTH else server.url + path
    answer = httpx2.request(method, url, json=body, timeout=60)
    return answer.status_code, answer.json()


HEALTH = "/health"
# Facts come later, by the memory function: tests/e2e/test_long_term_memory.py asks for one.
LATER = {(method, "/v1/memory/facts/{fact_id}") for method in ("GET", "POST", "DELETE")}


def test_every_route(server: RunningServer, answers: Held) -> None:
    _, created = send(server, "POST", "/conversations", {"metadata": {"topic": "旅"}, "items": [SAYS]})
    assert_valid(created, "ConversationResource")
    path = f"/conversations/{created['id']}"
    turn = {"conversation": created["id"], "input": "What is my name?"}
    item = send(server, "GET", f"{path}/items")[1]["data"][0]["id"]
    stored = send(server, "POST", "/responses", {"input": "stored", "model": "gpt-4.1-mini"})[1]["id"]
    before = answers.checked
    asked = [
        ("POST", "/responses", turn, "Response"),
        ("POST", "/responses", {"input": "stateless"}, "Response"),
        ("POST", "/responses", {**turn, "memory": {"dry_run": True}}, None),
        ("GET", f"/responses/{stored}", None, "Response"),
        ("GET", f"/responses/{stored}/input_items", None, None),
        ("DELETE", f"/responses/{stored}", None, None),
        ("POST", "/responses/input_tokens", {"input": "Hi"}, "TokenCountsResource"),
        ("POST", "/responses/compact", {"model": "gpt-4.1-mini", "input": [SAYS]}, None),
        ("GET", "/models", None, None),
        ("GET", "/models/gpt-4.1-mini", None, None),
        ("POST", "/chat/completions", {"messages": [SAYS]}, "CreateChatCompletionResponse"),
        ("POST", "/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}, "CreateEmbeddingResponse"),
        ("POST", "/conversations", {}, "ConversationResource"),
        ("GET", "/conversations", None, None),
        ("GET", path, None, "ConversationResource"),
        ("POST", path, {"metadata": {"topic": "x"}}, "ConversationResource"),
        ("POST", f"{path}/items", {"items": [SAYS]}, "ConversationItemList"),
        ("GET", f"{path}/items?order=asc&limit=2", None, "ConversationItemList"),
        ("GET", f"{path}/items/{item}", None, "ConversationItem"),
        ("GET", f"{path}/context", None, None),
        ("POST", f"{path}/context", {"compare": [{"policy": "buffer"}]}, None),
        ("POST", f"{path}/memory", {"rebuild": True}, None),
        ("GET", f"{path}/memory", None, None),
        ("DELETE", f"{path}/memory", None, None),
        ("GET", "/memory/facts", None, None),
        ("DELETE", "/memory", None, None),
        ("DELETE", f"{path}/items/{item}", None, "ConversationResource"),
        ("DELETE", path, None, "DeletedConversationResource"),
        ("DELETE", "/conversations?all=true", None, None),
        ("GET", HEALTH, None, None),
    ]
    for method, where, body, schema in asked:
        status, answer = send(server, method, where, body)
        assert status == 200, (method, where, answer)
        if schema is not None:
            assert_valid(answer, schema)
    assert answers.checked == before + len(asked)
    paths = [(method, where if where == HEALTH else f"/v1{where.partition('?')[0]}") for method, where, *_ in asked]
    reached = {operation_of(method, where) for method, where in paths}
    described = {(m.upper(), name) for name, item in description()["paths"].items() for m in item}
    assert described - reached == LATER


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
