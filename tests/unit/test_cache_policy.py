from __future__ import annotations

from typing import Any

import pytest

from chat_core.cache_policy import Decision, Directives, decide, parse_cache_control, storable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, Directives()),
        ("", Directives()),
        ("no-cache", Directives(no_cache=True)),
        ("No-Store, max-age=60", Directives(no_store=True, max_age=60)),
        ('max-age="5"', Directives(max_age=5)),
        ("max-age=0", Directives(max_age=0)),
        ("only-if-cached", Directives(only_if_cached=True)),
        ("max-age=-1, max-age=x", Directives()),
        ("max-age=99999999999999", Directives(max_age=2**31)),
        (",,=;nonsense", Directives()),
    ],
)
def test_cache_control_is_read_as_http_has_it(text: str | None, expected: Directives) -> None:
    assert parse_cache_control(text) == expected


@pytest.mark.parametrize(
    ("body", "directives", "expected"),
    [
        ({}, Directives(), Decision(read=True, write=True)),
        ({"temperature": 0}, Directives(), Decision(read=True, write=True)),
        ({"temperature": None}, Directives(), Decision(read=True, write=True)),
        ({"temperature": 0.7}, Directives(), Decision(read=False, write=False, reason="temperature")),
        ({"temperature": 0.7}, Directives(max_age=0), Decision(read=True, write=True)),
        ({"store": True}, Directives(max_age=9), Decision(read=False, write=False, reason="store")),
        ({"tools": [{"type": "function"}]}, Directives(), Decision(read=True, write=True)),
        (
            {"tools": [{"type": "web_search"}]},
            Directives(),
            Decision(read=False, write=False, reason="provider-tools"),
        ),
        ({}, Directives(no_cache=True), Decision(read=False, write=True)),
        ({}, Directives(no_store=True), Decision(read=True, write=False)),
    ],
)
def test_decisions(body: dict[str, Any], directives: Directives, expected: Decision) -> None:
    assert decide(body, directives) == expected


def answer(*parts: dict[str, Any], status: str = "completed", **more: Any) -> dict[str, Any]:
    output = [{"type": "message", "role": "assistant", "content": list(parts)}] if parts else []
    return {"status": status, "output": output, **more}


TEXT = {"type": "output_text", "text": "hi"}


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(TEXT), True),
        (answer(output=[{"type": "function_call", "call_id": "c"}]), True),
        (answer(), False),
        (answer({"type": "output_text", "text": ""}), False),
        (answer({"type": "refusal", "refusal": "no"}), False),
        (answer(TEXT, {"type": "refusal", "refusal": "no"}), False),
        (answer(TEXT, status="incomplete"), False),
        (answer(TEXT, status="failed"), False),
        (answer(TEXT, incomplete_details={"reason": "content_filter"}), False),
    ],
)
def test_only_whole_answers_are_stored(response: dict[str, Any], expected: bool) -> None:
    assert storable(response) is expected
