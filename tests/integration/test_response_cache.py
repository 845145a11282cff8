"""The response cache through `lambda_handler`: what is a hit, what is not, and what each says of itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.model import faults
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from local.model.faults import Fault
    from tests.integration.app import Answer, App
from tests.integration.cached import ROUTES, ask, body, both, calls, control

TOOL = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def statuses(app: App, endpoint: str, *directives: str | None, **more: Any) -> list[str]:
    """Ask the same again and again, each time with other directives."""
    return [
        ask(app, endpoint, headers=control(each) if each else None, **more).headers["x-cache"] for each in directives
    ]


def without(answer: Answer, *names: str) -> dict[str, Any]:
    """Take away what is each answer's own; a stored response's items have ids of its own, too."""
    left = {name: value for name, value in answer.body.items() if name not in {"id", "omoide", *names}}
    if "output" in left:
        left["output"] = [{name: value for name, value in item.items() if name != "id"} for item in left["output"]]
    return left


# Hits


@both
def test_a_repeated_question_is_a_hit_and_costs_nothing(app: App, endpoint: str) -> None:
    app.model.delay = 0.01
    first = ask(app, endpoint)
    again = ask(app, endpoint)
    assert calls(app) == 1
    assert first.headers["cache-status"] == "omoide; fwd=uri-miss; stored"
    assert first.body["omoide"]["cache"] == {"status": "miss", "age": 0, "saved_tokens": 0, "saved_ms": 0}
    assert "age" not in first.headers
    assert again.headers["cache-status"].startswith("omoide; hit; ttl=")
    assert 0.9 * 86_400 - 60 < int(again.headers["cache-status"].rpartition("=")[2]) <= 86_400
    assert int(again.headers["age"]) == again.body["omoide"]["cache"]["age"] < 60
    assert again.body["omoide"]["cache"]["saved_ms"] > 0
    assert again.body["omoide"]["cache"]["saved_tokens"] == first.body["usage"]["total_tokens"] > 0
    assert without(again) == without(first)
    assert again.body["id"] != first.body["id"]
    assert again.body["id"][:5] == first.body["id"][:5]
    items = [item["id"] for answer in (first, again) for item in answer.body.get("output", ())]
    assert len(set(items)) == len(items)


@both
def test_tool_calls_are_repeated_with_their_ids(app: App, endpoint: str) -> None:
    flat = endpoint == "responses"
    tool = {"type": "function", **TOOL} if flat else {"type": "function", "function": TOOL}
    first = ask(app, endpoint, "What is the weather in Oslo?", tools=[tool])
    again = ask(app, endpoint, "What is the weather in Oslo?", tools=[tool])
    assert again.headers["x-cache"] == "HIT"
    assert without(again) == without(first)
    assert '"call_' in json.dumps(again.body)


def test_log_probabilities_are_repeated(app: App) -> None:
    first = ask(app, "chat/completions", logprobs=True, top_logprobs=2)
    again = ask(app, "chat/completions", logprobs=True, top_logprobs=2)
    assert again.headers["x-cache"] == "HIT"
    assert again.body["choices"][0]["logprobs"]["content"] == first.body["choices"][0]["logprobs"]["content"] != []


def test_what_a_response_repeats_of_its_request_is_this_requests_own(app: App) -> None:
    ask(app, "responses", user_field=1, metadata={"of": "the first"}, safety_identifier="first-one")
    again = ask(app, "responses", user_field=1, metadata={"of": "the second"})
    assert again.headers["x-cache"] == "HIT"
    assert again.body["metadata"] == {"of": "the second"}
    assert "first" not in json.dumps(again.body)


@both
def test_users_share_nothing(app: App, endpoint: str) -> None:
    assert ask(app, endpoint, user="naomi").headers["x-cache"] == "MISS"
    assert ask(app, endpoint, user="kenji").headers["x-cache"] == "MISS"
    assert ask(app, endpoint, user="naomi").headers["x-cache"] == "HIT"
    assert calls(app) == 2


def test_endpoints_share_nothing(app: App) -> None:
    assert [ask(app, endpoint).headers["x-cache"] for endpoint in ROUTES] == ["MISS", "MISS"]


@both
def test_a_field_that_nobody_here_knows_makes_another_question_and_goes_upstream(app: App, endpoint: str) -> None:
    more: dict[str, Any] = {"num_ctx": 4096, "vendor": {"深い": [1, 1.5, None, True, "x"], "big": 2**70}}
    assert ask(app, endpoint, **more).headers["x-cache"] == "MISS"
    assert app.model.requests[-1] == {**body(endpoint, **more), "store": False}
    assert ask(app, endpoint).headers["x-cache"] == "MISS"
    assert ask(app, endpoint, **more).headers["x-cache"] == "HIT"


@both
def test_how_an_answer_is_sent_is_no_part_of_the_question(app: App, endpoint: str) -> None:
    assert ask(app, endpoint, stream=False).headers["x-cache"] == "MISS"
    assert "stream" not in app.model.requests[-1]
    assert ask(app, endpoint).headers["x-cache"] == "HIT"


def test_a_wiped_cache_is_a_miss(app: App) -> None:
    ask(app, "responses")
    app.momento.wipe()
    assert ask(app, "responses").headers["x-cache"] == "MISS"
    assert calls(app) == 2


# Directives


@both
@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        (("no-cache", None), ["MISS", "HIT"]),
        ((None, "no-cache", None), ["MISS", "MISS", "HIT"]),
        (("no-store", None, "no-store"), ["MISS", "MISS", "HIT"]),
        ((None, "max-age=3600"), ["MISS", "HIT"]),
        ((None, "max-age=0", None), ["MISS", "MISS", "HIT"]),
        ((None, "only-if-cached"), ["MISS", "HIT"]),
        ((None, "nonsense=;;,"), ["MISS", "HIT"]),
        ((None, "NO-CACHE"), ["MISS", "MISS"]),
    ],
)
def test_directives(app: App, endpoint: str, directives: tuple[str | None, ...], expected: list[str]) -> None:
    assert statuses(app, endpoint, *directives) == expected


@both
def test_a_refresh_replaces_what_was_stored(app: App, endpoint: str) -> None:
    ask(app, endpoint)
    refreshed = ask(app, endpoint, headers=control("no-cache"))
    assert refreshed.headers["cache-status"] == "omoide; fwd=request; stored"
    unstored = ask(app, endpoint, headers=control("no-cache, no-store"))
    assert unstored.headers["cache-status"] == "omoide; fwd=request"


@pytest.mark.parametrize(("age", "expected"), [("-5", "MISS"), ("99999999999999", "HIT")])
def test_an_absurd_max_age_is_clamped_and_said_so(app: App, age: str, expected: str) -> None:
    ask(app, "responses")
    answer = ask(app, "responses", headers=control(f"max-age={age}"))
    assert answer.headers["x-cache"] == expected
    assert answer.headers["cache-status"].endswith("; detail=max-age-clamped")


NEVER_CACHED: dict[str, Any] = {"temperature": 0.7}


@both
def test_only_if_cached_never_calls_the_model(app: App, endpoint: str) -> None:
    for more in ({}, NEVER_CACHED):
        answer = ask(app, endpoint, headers=control("only-if-cached"), **more)
        assert (answer.status, answer.error["code"]) == (504, "cache_miss")
        assert answer.headers["x-should-retry"] == "false"
        assert_valid(answer.body, "ErrorResponse")
    assert calls(app) == 0


# Bypass


@both
@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"temperature": 0.7}, "temperature"),
        ({"tools": [{"type": "web_search"}]}, "provider-tools"),
        ({"web_search_options": {}}, "web-search"),
        ({"n": 2}, "choices"),
    ],
)
def test_what_is_not_for_the_cache_goes_past_it(app: App, endpoint: str, more: dict[str, Any], reason: str) -> None:
    for _ in range(2):
        answer = ask(app, endpoint, **more)
        assert answer.headers["x-cache"] == "BYPASS"
        assert answer.headers["cache-status"] == f"omoide; fwd=bypass; detail={reason}"
        assert {**app.model.requests[-1], **more} == app.model.requests[-1]
    assert calls(app) == 2
    assert app.momento.meter.snapshot().calls == {}


@both
def test_max_age_asks_for_variety_to_be_cached(app: App, endpoint: str) -> None:
    assert statuses(app, endpoint, "max-age=60", "max-age=60", None, temperature=0.7) == ["MISS", "HIT", "BYPASS"]


@both
def test_whether_it_is_stored_is_neither_the_keys_business_nor_the_models(app: App, endpoint: str) -> None:
    assert statuses(app, endpoint, None, None, store=True) == ["MISS", "HIT"]
    assert statuses(app, endpoint, None) == statuses(app, endpoint, None, store=False) == ["HIT"]
    assert [request["store"] for request in app.model.requests[-calls(app) :]] == [False]


@both
def test_temperature_zero_is_cached(app: App, endpoint: str) -> None:
    assert statuses(app, endpoint, None, None, temperature=0) == ["MISS", "HIT"]


# What is stored


@both
@pytest.mark.parametrize(
    "fault",
    [
        faults.refusal(),
        faults.empty_output(),
        faults.incomplete("max_output_tokens"),
        faults.incomplete("content_filter"),
    ],
)
def test_what_is_not_whole_is_never_stored(app: App, endpoint: str, fault: Fault) -> None:
    app.model.script.append(fault)
    first = ask(app, endpoint)
    assert (first.status, first.headers["cache-status"]) == (200, "omoide; fwd=uri-miss")
    assert ask(app, endpoint).headers["x-cache"] == "MISS"
    assert ask(app, endpoint).headers["x-cache"] == "HIT"
    assert calls(app) == 2


def test_an_entry_that_cannot_be_read_is_a_miss(app: App, momento_values: Any) -> None:
    ask(app, "responses")
    [key] = [key for key in momento_values.names if key.startswith("llm:")]
    momento_values.set(key, b"\x02damaged")
    assert ask(app, "responses").headers["x-cache"] == "MISS"
    assert ask(app, "responses").headers["x-cache"] == "HIT"


def test_keys_tell_nothing_of_the_user_and_the_lease_is_given_back(app: App, momento_values: Any) -> None:
    ask(app, "responses", user="naomi.watanabe")
    keys = momento_values.names
    assert [key.rpartition(":")[0] for key in keys] == ["llm:1:" + keys[0].split(":")[2]]
    assert "naomi" not in "".join(keys)
