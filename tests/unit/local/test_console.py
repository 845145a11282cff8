from __future__ import annotations

import io
import json
from typing import Any

import pytest

from local.console import ReadableOutput, request_line
from local.messages import HttpRequest, HttpResponse


def shown(*lines: str | dict[str, Any]) -> str:
    output = io.StringIO()
    with ReadableOutput(output) as readable:
        for line in lines:
            print(line if isinstance(line, str) else json.dumps(line), file=readable)
        return output.getvalue()


def error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "t", "param": None, "code": code}}).encode()


REQUEST = {"level": "INFO", "message": "request", "service": "chat", "status": 200, "timestamp": "t"}
METRICS = {"_aws": {"Timestamp": 1, "CloudWatchMetrics": []}, "service": "chat", "Requests": [1.0]}


@pytest.mark.parametrize(
    ("status", "headers", "body", "line"),
    [
        (200, {"x-cache": "HIT"}, b"{}", "POST /v1/responses 200 76 ms, cache HIT"),
        (
            200,
            {"x-cache": "MISS", "idempotent-replayed": "true"},
            b"{}",
            "POST /v1/responses 200 76 ms, cache MISS, replayed",
        ),
        (200, {}, b"{}", "POST /v1/responses 200 76 ms"),
        (400, {}, error("invalid_json", "may quote what was said"), "POST /v1/responses 400 76 ms, invalid_json"),
        (
            502,
            {},
            error("upstream_error", "The provider broke."),
            "POST /v1/responses 502 76 ms, upstream_error: The provider broke.",
        ),
        (500, {}, b"no envelope", "POST /v1/responses 500 76 ms"),
        (404, {}, b'{"error": "of another form"}', "POST /v1/responses 404 76 ms"),
    ],
)
def test_a_request_is_one_line(status: int, headers: dict[str, str], body: bytes, line: str) -> None:
    request = HttpRequest("POST", "/v1/responses", "after=x", (), b"{}", "127.0.0.1")
    response = HttpResponse(status, tuple((name.title(), value) for name, value in headers.items()), body)
    assert request_line(request, response, 0.0761) == line


def test_of_a_stream_the_beginning_is_told_too() -> None:
    request = HttpRequest("POST", "/v1/responses", "", (), b"{}", "127.0.0.1")
    for kind, more in (("text/event-stream; charset=utf-8", ", begun after 21 ms"), ("application/json", "")):
        response = HttpResponse(200, (("Content-Type", kind),), b"")
        assert request_line(request, response, 0.5, begun=0.021) == f"POST /v1/responses 200 500 ms{more}"


def test_what_a_requests_own_line_tells_is_left_out() -> None:
    assert shown(REQUEST, METRICS) == ""


def test_other_log_lines_are_made_readable() -> None:
    assert shown({**REQUEST, "message": "folded", "turns": 3}) == "chat: folded status=200 turns=3\n"
    warning = {"level": "WARNING", "message": "late", "service": "memory", "timestamp": "t", "xray_trace_id": "x"}
    assert shown(warning) == "memory: WARNING late\n"


def test_what_is_no_log_passes_as_it_is() -> None:
    lines = ["handles tell", '{"answer": 42}', "{broken", "渡辺", ""]
    assert shown(*lines) == "".join(f"{line}\n" for line in lines)


def test_a_cache_that_fails_is_told_once_for_each_reason() -> None:
    def failed(reason: str) -> dict[str, Any]:
        return {**METRICS, "CacheErrors": [1.0], "reason": reason}

    told = shown(failed("timeout"), failed("timeout"), failed("unavailable"), failed("breaker_open"))
    assert told.splitlines() == [
        "chat: Momento did not answer in time; that turn went on without the cache.",
        "chat: Momento cannot be reached; turns go on without the cache.",
    ]


def test_lines_come_whole_whatever_they_are_cut_into() -> None:
    output = io.StringIO()
    readable = ReadableOutput(output)
    for piece in ("ha", "lf\nand ", "", "more\n", "\n", "rest"):
        readable.write(piece)
    assert output.getvalue() == "half\nand more\n\n"
