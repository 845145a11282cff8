"""The gateway's own answers to pages of other origins, as the template has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local.application import read_application
from local.cors import ORIGIN
from local.gateway import Gateway
from local.messages import HttpRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = "http://localhost:5173"
TEMPLATE = Path(__file__).parents[3] / "template.yaml"


class Nobody:
    """A function that no request is to reach."""

    def invoke(self, event: bytes, *, trace_id: str) -> Any:
        pytest.fail("A function was asked.")


def asked(
    method: str, path: str, *origin: str, origins: Iterable[str] = (PAGE,), body: bytes = b""
) -> tuple[int, dict[str, str]]:
    application = read_application(TEMPLATE, {"AllowedOrigin": ORIGIN if origins else ""})
    functions: Any = {function.name: Nobody() for function in application.functions}
    gateway = Gateway(application, functions, origins=frozenset(origins))
    headers = tuple(("Origin", one) for one in origin)
    answer = gateway.answer(HttpRequest(method, path, "", headers, body, "127.0.0.1"))
    return answer.status, dict(answer.headers)


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/conversations/a/items", "/v1/models/x", "/v1/nothing"])
def test_a_page_may_ask_before_it_calls_and_needs_no_token(path: str) -> None:
    status, headers = asked("OPTIONS", path, PAGE)
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == PAGE
    methods, names = (headers[f"Access-Control-Allow-{what}"].lower().split(",") for what in ("Methods", "Headers"))
    assert {"get", "post", "delete"} <= set(methods)
    assert {"authorization", "content-type", "idempotency-key", "cache-control", "x-stainless-os"} <= set(names)
    assert "x-local-user" in names


def test_all_pages_may_where_all_are_named() -> None:
    assert asked("OPTIONS", "/v1/responses", PAGE, origins=["*"])[1]["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("origins", [(), (PAGE,)])
def test_another_page_or_none_is_told_of_no_origin(origins: tuple[str, ...]) -> None:
    for origin in ((), ("https://evil.example",)):
        _, headers = asked("OPTIONS", "/v1/responses", *origin, origins=origins)
        assert "Access-Control-Allow-Origin" not in headers
        assert ORIGIN not in str(headers)


def test_what_the_gateway_refuses_by_itself_can_be_read() -> None:
    status, headers = asked("POST", "/v1/responses", PAGE, body=b"x" * 11_000_000)
    assert status == 413
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert "retry-after-ms" in headers["Access-Control-Expose-Headers"]
    _, headers = asked("POST", "/v1/responses", "https://evil.example", body=b"x" * 11_000_000)
    assert not any(name.startswith("Access-Control-") for name in headers)
