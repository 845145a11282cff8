"""No input is a failure: the answer is OpenAI's and names what is wrong, and what is refused leaves nothing.

``make fuzz N=5000`` sends more, ``SEED=7`` others.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from local.events import proxy_event
from local.messages import HttpRequest
from local.model import chat_completions, embeddings, responses
from local.model.errors import ApiError
from local.routing import Router
from tests.fuzz.generator import Generator, Request
from tests.fuzz.users import seeded
from tests.integration.app import application
from tests.one_environment import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.application import Route
    from tests.integration.app import Answer, App

INPUTS = int(os.environ.get("FUZZ_INPUTS") or 300)
SEED = int(os.environ.get("FUZZ_SEED") or 1)
USER, OTHER = "fuzz", "fuzz-other"
SECONDS = 28.0
SEEDED_EVERY = 500
"""The embedded table's index gets slow as it grows, which is none of the product's."""

# What an answer may be that is no fault of ours: a caller who takes nothing but a cached reply.
ASKED_FOR = {"cache_miss"}
TOO_SLOW = {"store_unavailable", "deadline_exceeded", "upstream_timeout"}
TRIES = 4
NO_JSON = {"invalid_json", "invalid_encoding"}


@dataclass
class Report:
    """What came of it all."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def found(self, what: str, request: Request, answer: Answer) -> None:
        shown = f"{request.method} {request.path}?{request.query} {dict(request.headers)} {request.body[:300]!r}"
        shown += f" ({len(request.body)} bytes) → {answer.status} {str(answer.body)[:300]}"
        self.wrong.setdefault(what, []).append(shown)

    def __str__(self) -> str:
        lines = [f"{sum(self.statuses.values())} inputs, seed {SEED}: {dict(sorted(self.statuses.items()))}"]
        for what, examples in self.wrong.items():
            lines += [f"{what}: {len(examples)}", *(f"    {example}" for example in examples[:5])]
        return "\n".join(lines)


@pytest.mark.timeout(7_200)
def test_no_input_is_a_failure(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    router = Router(application().routes)
    # Of methods and paths that nothing here matches the gateway itself would tell.
    generator = Generator(application().routes, SEED)
    for sent, request in enumerate(generator.requests(INPUTS)):
        if sent % SEEDED_EVERY == 0:
            _go_on(app, router, report)
            _erase(app, report)
            generator.ids = seeded(app, USER, OTHER)
        match = router.match(request.method, request.path)
        if match is not None:
            _check(app, request, _event(request, match), match.route, report)
            capsys.readouterr()  # the log of a night is long
    _go_on(app, router, report)
    _erase(app, report)
    with capsys.disabled():
        print(f"\n{report}")  # noqa: T201 - the figures
    assert not report.wrong, str(report)


def _erase(app: App, report: Report) -> None:
    """Take away what has grown, with the request for it, and look for what is left."""
    for user in (USER, OTHER):
        while not app.call("DELETE", "/v1/conversations", user=user, query={"all": "true"}).body["deleted"]:
            pass
    for pk, sk in sorted(_keys()):
        if pk.startswith((f"{USER}/", f"{OTHER}/")):
            report.wrong.setdefault("a row is left of all that was erased", []).append(f"{pk} {sk}")


def _event(request: Request, match: Any) -> dict[str, Any]:
    headers = (("content-type", "application/json"), *request.headers, ("x-local-user", USER))
    http = HttpRequest(request.method, request.path, request.query, headers, request.body, "127.0.0.1")
    return proxy_event(http, match, request_id="fuzz", trace_id="trace", now=0.0)


def _check(app: App, request: Request, event: dict[str, Any], route: Route, report: Report) -> None:
    calls, rows = _calls(app), _rows()
    answer, at_once = _answered(app, route, event)
    report.statuses[answer.status] += 1
    if answer.status < 400:
        return
    error = _error(answer)
    if error is None:
        report.found("without envelope", request, answer)
        return
    if answer.status >= 500 and error["code"] not in ASKED_FOR:
        report.found("5xx", request, answer)
    if _calls(app) > calls:
        if not _model_refuses(app):
            report.found("refused after a call of the model", request, answer)
    elif answer.status in (400, 413) and error["param"] is None and not _may_be_nameless(request, error):
        report.found("without param", request, answer)
    elif at_once and _rows() != rows:
        report.found("refused, yet rows changed", request, answer)


def _calls(app: App) -> int:
    """Count the calls that are paid for: a list of models is none."""
    return sum(number for path, number in app.model.calls.items() if path != "/v1/models")


def _answered(app: App, route: Route, event: dict[str, Any]) -> tuple[Answer, bool]:
    """Ask again where it was the machine that was too slow; what is too slow each time is too slow."""
    tries = 0
    while True:
        if route.streams:
            answer = app.invoke_streaming(event, seconds=SECONDS)
        else:
            answer = app.invoke(route.function, event, seconds=SECONDS)
        tries += 1
        if answer.status < 500 or answer.error["code"] not in TOO_SLOW or tries == TRIES:
            return answer, tries == 1


def _error(answer: Answer) -> dict[str, Any] | None:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    if not isinstance(error, dict) or not {"message", "type", "param", "code"} <= error.keys():
        return None
    return error if error["message"] and error["type"] else None


def _may_be_nameless(request: Request, error: dict[str, Any]) -> bool:
    """What is no JSON object has no parameters, and a name that is not Unicode cannot be told."""
    try:
        body = json.loads(request.body.decode(), parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError, RecursionError):
        return error["code"] in NO_JSON
    return not isinstance(body, dict) or any("\ud800" <= letter <= "\udfff" for name in body for letter in name)


def _model_refuses(app: App) -> bool:
    """Tell whether the model itself refuses what it was asked last."""
    body = app.model.requests[-1]
    try:
        if "messages" in body:
            chat_completions.create(body, now=0, change=lambda reply: reply)
        elif str(body.get("model")).startswith("text-embedding"):
            embeddings.create(body)
        else:
            responses.create(body, now=0, change=lambda reply: reply)
    except ApiError:
        return True
    except Exception:
        return False
    return False


def _rows() -> int:
    return sum(len(rows) for table in tables() for rows in table.items.values())


def _keys() -> Iterator[tuple[str, str]]:
    """Tell the keys of all rows, past the store's own ways."""
    for table in tables():
        for pk, rows in table.items.items():
            for sk in rows:
                yield str(pk.value), str(sk.value if sk is not None else "")


def _go_on(app: App, router: Router, report: Report) -> None:
    """Whatever was accepted can be read, explained and continued."""
    listed = app.call("GET", "/v1/conversations", user=USER, query={"limit": "100"}).body["data"]
    for each in listed:
        path = f"/v1/conversations/{each['id']}"
        turn = {"model": "gpt-4.1-mini", "conversation": each["id"], "input": "go on"}
        for request in (
            Request("GET", f"{path}/items"),
            Request("GET", f"{path}/context"),
            Request("POST", "/v1/responses", body=json.dumps(turn).encode()),
        ):
            match = router.match(request.method, request.path)
            assert match is not None
            answer, _ = _answered(app, match.route, _event(request, match))
            report.statuses[answer.status] += 1
            if answer.status >= 500:
                report.found("does not go on", request, answer)
