from __future__ import annotations

import json

import pytest

from local.guard import Guard, allowed_origins
from local.messages import HttpRequest
from tests.openai_schema import assert_valid

JSON = ("Content-Type", "application/json")
GUARD = Guard(8000)
OWN = ("Host", "127.0.0.1:8000")


def refused(*headers: tuple[str, str], guard: Guard = GUARD) -> tuple[int, str] | None:
    """Return status and code of the refusal of a request with a body and these headers."""
    request = HttpRequest("POST", "/v1/responses", "", (("Content-Length", "2"), *headers), b"", "127.0.0.1")
    response = guard.refusal(request)
    if response is None:
        return None
    body = json.loads(response.body)
    assert_valid(body, "ErrorResponse")
    return response.status, body["error"]["code"]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LocalHost:8000", "[::1]:8000"])
def test_its_own_address_passes(host: str) -> None:
    assert refused(("Host", host), JSON) is None
    assert refused(("Host", host), JSON, ("Origin", f"http://{host}"), ("Sec-Fetch-Site", "same-origin")) is None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost:8001", "localhost", "127.0.0.1", ""])
def test_another_host_is_refused(host: str) -> None:
    assert refused(("Host", host), JSON) == (403, "host_not_allowed")


def test_port_80_is_named_by_no_browser() -> None:
    assert refused(("Host", "localhost"), JSON, ("Origin", "http://localhost"), guard=Guard(80)) is None


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:3000", "https://127.0.0.1:8000", "http://127.0.0.1"]
)
def test_another_origin_is_refused(origin: str) -> None:
    assert refused(OWN, JSON, ("Origin", origin)) == (403, "origin_not_allowed")
    assert refused(OWN, JSON, ("Origin", origin), ("Origin", "http://127.0.0.1:8000")) == (403, "origin_not_allowed")


def test_allowed_origins_pass() -> None:
    guard = Guard(8000, allowed_origins(" http://localhost:3000/ , https://App.example,"))
    for origin in ("http://localhost:3000", "https://app.example"):
        assert refused(OWN, JSON, ("Origin", origin), guard=guard) is None
    assert refused(OWN, JSON, ("Origin", "https://evil.example"), guard=guard) == (403, "origin_not_allowed")
    assert refused(OWN, JSON, ("Origin", "https://evil.example"), guard=Guard(8000, allowed_origins("*"))) is None
    assert refused(("Host", "app.example"), JSON, guard=guard) == (403, "host_not_allowed")


@pytest.mark.parametrize("kind", ["text/plain", "Text/Plain; charset=utf-8", "multipart/form-data; boundary=x"])
def test_a_body_that_needs_no_preflight_is_refused(kind: str) -> None:
    assert refused(OWN, ("Content-Type", kind)) == (415, "unsupported_media_type")
    assert refused(OWN, ("Content-Type", kind), ("Origin", "http://127.0.0.1:8000")) == (415, "unsupported_media_type")


def test_what_curl_calls_a_body_by_itself_passes_but_not_from_a_browser() -> None:
    form = ("Content-Type", "application/x-www-form-urlencoded")
    browser = ("Sec-Fetch-Site", "cross-site")
    assert refused(OWN, form) is None
    assert refused(OWN) is None
    assert refused(OWN, form, browser) == (415, "unsupported_media_type")
    assert refused(OWN, browser) == (415, "unsupported_media_type")
    bodiless = HttpRequest("GET", "/v1/conversations", "", (OWN, browser), b"", "127.0.0.1")
    assert Guard(8000).refusal(bodiless) is None
