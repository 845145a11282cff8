"""What the dev server's console shows: a line for each request, and of the functions' own output what a person reads.

The functions write logs and metrics as JSON, as they do in Lambda; ``LOG=json`` shows them as they are. With the
standard library alone: `local.environment` loads this file beside it, without the package.
"""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.messages import HttpRequest, HttpResponse

# Of a log record: what says where and when, which the person who looks at the console knows.
_KNOWN = frozenset(
    (
        "aws_request_id",
        "level",
        "location",
        "message",
        "request_id",
        "sampling_rate",
        "service",
        "timestamp",
        "xray_trace_id",
    )
)
# A request's record and its metrics tell what the server's own line for it does; beside an error stands its traceback.
_SHOWN_ELSEWHERE = ("request", "function_error")
# What needs somebody's hand the functions log themselves.
_CACHE_ERRORS = {
    "timeout": "Momento did not answer in time; that turn went on without the cache.",
    "unavailable": "Momento cannot be reached; turns go on without the cache.",
}


def request_line(request: HttpRequest, response: HttpResponse, seconds: float, *, begun: float | None = None) -> str:
    """Tell of a request that was answered; of an error its code, and where the service itself failed its message.

    Parameters
    ----------
    seconds
        Until all of the answer was sent.
    begun
        Of an answer that came piece by piece: the seconds until its beginning, told of streams of events.
    """
    headers = {name.lower(): value for name, value in response.headers}
    parts = [f"{request.method} {request.path} {response.status} {seconds * 1000:.0f} ms"]
    if begun is not None and headers.get("content-type", "").startswith("text/event-stream"):
        parts.append(f"begun after {begun * 1000:.0f} ms")
    if "x-cache" in headers:
        parts.append(f"cache {headers['x-cache']}")
    if headers.get("idempotent-replayed") == "true":
        parts.append("replayed")
    if response.status >= 400:
        parts.append(_error(response.status, response.body))
    return ", ".join(filter(None, parts))


def _error(status: int, body: bytes) -> str:
    try:
        error = json.loads(body)["error"]
        code, message = error["code"] or error["type"], error["message"]
    except (ValueError, TypeError, KeyError):
        return ""
    # A provider's refusal (4xx) may quote what was said; what the service says of its own failures does not.
    return f"{code}: {message}" if status >= 500 else str(code)


class ReadableOutput(io.TextIOBase):
    """A function's standard output, its JSON lines made readable or left out.

    Parameters
    ----------
    output
        Where the lines go.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._line = ""
        self._told: set[str] = set()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the output."""
        return self._output.encoding

    def fileno(self) -> int:
        """Return the output's descriptor."""
        return self._output.fileno()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Take a piece of a line, or of many; a line is shown once it is whole."""
        with self._lock:
            *whole, self._line = (self._line + text).split("\n")
            shown = "".join(f"{line}\n" for raw in whole for line in self._readable(raw))
            if shown:
                self._output.write(shown)
                self._output.flush()
        return len(text)

    def _readable(self, line: str) -> Iterator[str]:
        record = _record(line)
        if record is None:
            yield line
        elif "_aws" in record:
            yield from self._failures(record)
        elif record.get("message") not in _SHOWN_ELSEWHERE:
            yield _log_line(record)

    def _failures(self, metrics: Mapping[str, Any]) -> Iterator[str]:
        """Tell of a cache that fails, once for each reason: turns go on, so that nothing else would show it."""
        reason = str(metrics.get("reason"))
        if "CacheErrors" in metrics and reason in _CACHE_ERRORS and reason not in self._told:
            self._told.add(reason)
            yield f"{metrics.get('service')}: {_CACHE_ERRORS[reason]}"


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and ("_aws" in record or "level" in record) else None


def _log_line(record: Mapping[str, Any]) -> str:
    more = [f"{name}={_short(value)}" for name, value in record.items() if name not in _KNOWN]
    level = "" if record.get("level") == "INFO" else f"{record.get('level')} "
    return " ".join([f"{record.get('service')}: {level}{record.get('message')}", *more])


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
