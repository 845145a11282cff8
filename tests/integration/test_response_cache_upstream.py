"""The response cache and the model behind it: refusals, failures, metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.model import faults
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from local.model.faults import Fault
    from tests.integration.app import App
from tests.integration.cached import MODEL, QUESTION, ask, both, calls

# Upstream


@both
@pytest.mark.parametrize("status", [400, 404, 413, 422, 429])
def test_what_the_provider_refuses_comes_through(app: App, endpoint: str, status: int) -> None:
    app.model.script.append(
        faults.http_error(status, code="of_the_provider", message="Not so.", headers={"retry-after": "7"})
    )
    answer = ask(app, endpoint)
    assert answer.status == status
    assert_valid(answer.body, "ErrorResponse")
    assert (answer.error["code"], answer.error["message"]) == ("of_the_provider", "Not so.")
    assert answer.headers["retry-after"] == "7"
    assert ask(app, endpoint).headers["x-cache"] == "MISS"


@both
@pytest.mark.parametrize("status", [401, 403])
def test_our_own_credentials_refused_are_not_the_callers_fault(app: App, endpoint: str, status: int) -> None:
    app.model.script.extend([faults.http_error(status)] * 2)
    answer = ask(app, endpoint)
    assert (answer.status, answer.error["code"]) == (502, "upstream_error")
    assert answer.headers["x-should-retry"] == "false"


@both
@pytest.mark.parametrize("fault", [faults.http_error(500), faults.cut_connection(), faults.malformed_json()])
def test_a_provider_that_fails_is_502(app: App, endpoint: str, fault: Fault) -> None:
    app.model.script.extend([fault] * 2)
    answer = ask(app, endpoint)
    assert (answer.status, answer.error["code"]) == (502, "upstream_error")
    app.model.script.clear()
    assert ask(app, endpoint).headers["x-cache"] == "MISS"


@both
def test_a_provider_that_is_too_slow_is_504(app: App, endpoint: str) -> None:
    app.model.script.append(faults.slow(30))
    answer = ask(app, endpoint, seconds=1.2)
    assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")
    assert ask(app, endpoint).headers["x-cache"] == "MISS"


# Who may do what


@both
def test_provider_references_are_refused(app: App, endpoint: str) -> None:
    answer = ask(app, endpoint, tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}])
    assert (answer.status, answer.error["code"]) == (400, "provider_reference_not_allowed")
    assert calls(app) == 0


def test_a_completion_that_names_no_model_gets_the_default(app: App) -> None:
    answer = app.call("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]})
    assert answer.status == 200
    assert app.model.requests[-1]["model"] == MODEL


# Metrics


def test_what_the_cache_did_is_measured_without_contents(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "canary-in-the-message"
    ask(app, "chat/completions", secret)
    ask(app, "chat/completions", secret)
    ask(app, "chat/completions", secret, temperature=1)
    written = capsys.readouterr().out
    assert secret not in written
    lines = [json.loads(line) for line in written.splitlines()]
    measured = [line for line in lines if "_aws" in line]
    totals: dict[str, float] = {}
    for line in measured:
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            totals[metric["Name"]] = totals.get(metric["Name"], 0) + sum(line[metric["Name"]])
    assert (totals["CacheHits"], totals["CacheMisses"], totals["CacheBypasses"]) == (1, 1, 1)
    assert totals["TokensSaved"] > 0
    assert totals["UpstreamMillisecondsSaved"] >= 0
    assert totals["Requests"] == 3
    [bypass] = [line for line in measured if "CacheBypasses" in line]
    assert bypass["reason"] == "temperature"
    assert set(bypass["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == {"service", "stage", "reason"}
