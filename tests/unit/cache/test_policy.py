from __future__ import annotations

from typing import Any

import pytest

from chat_core.cache.policy import Decision, Directives, decide, forward_reason, parse_cache_control, storable


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
        ("max-age=007", Directives(max_age=7)),
        ("max-age=-1", Directives(max_age=0, clamped=True)),
        ("max-age=2147483648", Directives(max_age=2**31)),
        ("max-age=2147483649", Directives(max_age=2**31, clamped=True)),
        ("max-age=" + "9" * 5000, Directives(max_age=2**31, clamped=True)),
        ("max-age=5, max-age=9", Directives(max_age=5)),
        ("max-age=x", Directives()),
        ("max-age=1.5", Directives()),
        ("max-age=", Directives()),
        ("max-age", Directives()),
        ("max-age = 5", Directives()),
        ("max-age=٣", Directives()),
        (",,=;nonsense", Directives()),
        ('x="a, no-cache", no-store', Directives(no_store=True)),
        ('x="never ends, no-cache', Directives()),
        ("no-cache no-store", Directives()),
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
        ({"temperature": 0.7}, Directives(), Decision.to_bypass("temperature")),
        ({"temperature": 0.7}, Directives(max_age=9), Decision(read=True, write=True)),
        ({"temperature": 0.7}, Directives(max_age=0), Decision(read=False, write=True)),
        ({}, Directives(max_age=0), Decision(read=False, write=True)),
        ({"tools": [{"type": "function"}, {"type": "custom"}]}, Directives(), Decision(read=True, write=True)),
        ({"tools": [{"type": "function"}, {"type": "web_search"}]}, Directives(), Decision.to_bypass("provider-tools")),
        ({"web_search_options": {}}, Directives(), Decision.to_bypass("web-search")),
        ({"n": 1}, Directives(), Decision(read=True, write=True)),
        ({"n": None}, Directives(), Decision(read=True, write=True)),
        ({"n": 2}, Directives(max_age=9), Decision.to_bypass("choices")),
        ({}, Directives(no_cache=True), Decision(read=False, write=True)),
        ({}, Directives(no_store=True), Decision(read=True, write=False)),
    ],
)
def test_decisions(body: dict[str, Any], directives: Directives, expected: Decision) -> None:
    assert decide(body, directives) == expected


@pytest.mark.parametrize(
    ("age", "max_age", "expected"),
    [
        (0.0, None, ""),
        (99.0, None, ""),
        (100.0, None, "stale"),
        (0.0, 0, "request"),
        (0.4, 0, "request"),
        (4.9, 5, ""),
        (5.0, 5, "request"),
        (-3.0, 5, ""),
        (-3.0, 0, "request"),
        (100.0, 500, "stale"),
    ],
)
def test_an_age_is_taken_or_refused(age: float, max_age: int | None, expected: str) -> None:
    found = forward_reason(
        stored_at=1000.0, expires_at=1100.0, now=1000.0 + age, directives=Directives(max_age=max_age)
    )
    assert found == expected


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
        (answer(output=None), False),
        (answer(output=[{"type": "reasoning", "summary": []}]), False),
        (answer({"type": "output_text", "text": ""}), False),
        (answer({"type": "refusal", "refusal": "no"}), False),
        (answer(TEXT, {"type": "refusal", "refusal": "no"}), False),
        (answer(TEXT, status="incomplete"), False),
        (answer(TEXT, status="failed"), False),
        (answer(TEXT, incomplete_details={"reason": "content_filter"}), False),
    ],
)
def test_only_whole_responses_are_stored(response: dict[str, Any], expected: bool) -> None:
    assert storable("responses", response) is expected


def choice(reason: str | None = "stop", **message: Any) -> dict[str, Any]:
    return {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": None, **message}}


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([choice(content="hi")], True),
        ([choice("tool_calls", tool_calls=[{"id": "c"}])], True),
        ([choice("function_call", function_call={"name": "f"})], True),
        ([choice("stop", tool_calls=[{"id": "c"}])], True),
        ([choice(content="")], False),
        ([choice()], False),
        ([choice("length", content="hi")], False),
        ([choice("content_filter", content="hi")], False),
        ([choice(None, content="hi")], False),
        ([choice("something_new", content="hi")], False),
        ([choice(content="hi", refusal="no")], False),
        ([choice(content="hi"), choice("length", content="hi")], False),
        ([{"finish_reason": "stop"}], False),
        ([], False),
        (None, False),
    ],
)
def test_only_whole_completions_are_stored(choices: list[dict[str, Any]] | None, expected: bool) -> None:
    assert storable("chat/completions", {"choices": choices}) is expected
