"""Which pages may read an answer: the origins that are named, or all, or none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chat_core.api.cors import EXPOSED, cors_headers
from history import handler
from tests.infra import stack
from tests.integration.app import Context

PAGE = "https://app.example.com"


def event(**headers: str) -> dict[str, Any]:
    return {"headers": headers, "multiValueHeaders": {name: [value] for name, value in headers.items()}}


@pytest.mark.parametrize(
    ("allowed", "origin", "told", "varies"),
    [
        ("", PAGE, None, False),
        (" , ", PAGE, None, False),
        ("*", PAGE, "*", False),
        ("*", "", "*", False),
        (PAGE, PAGE, PAGE, True),
        (f"{PAGE}/", PAGE, PAGE, True),
        (f"http://localhost:5173, {PAGE}", PAGE, PAGE, True),
        (PAGE, "https://evil.example", None, True),
        (PAGE, f"{PAGE}.evil.example", None, True),
        (PAGE, "http://app.example.com", None, True),
        (PAGE, "null", None, True),
        (PAGE, "", None, True),
    ],
)
def test_only_a_page_that_is_named_may_read(
    monkeypatch: pytest.MonkeyPatch, allowed: str, origin: str, told: str | None, varies: bool
) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", allowed)
    found = cors_headers(event(**({"Origin": origin} if origin else {})))
    assert found.get("Access-Control-Allow-Origin") == (None if told is None else [told])
    assert ("Vary" in found) == varies
    assert ("Access-Control-Expose-Headers" in found) == (told is not None)
    assert "Access-Control-Allow-Credentials" not in found


def test_every_answer_has_them_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_ORIGINS", "*")
    for name in ("health", "undefined_route"):
        headers = handler.lambda_handler(stack.load_event(name), Context())["multiValueHeaders"]
        assert headers["Access-Control-Allow-Origin"] == ["*"]
        [exposed] = headers["Access-Control-Expose-Headers"]
        assert exposed.split(",") == list(EXPOSED)
    monkeypatch.delenv("ALLOWED_ORIGINS")
    answer = handler.lambda_handler(stack.load_event("health"), Context())
    assert "access-control" not in json.dumps(answer).lower()
