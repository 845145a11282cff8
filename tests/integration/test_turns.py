"""Turns through `lambda_handler`, on Momento's SDK, boto3 and the OpenAI SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.model.faults import Fault, failed, http_error, malformed_json, rate_limited, slow
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import App


def text(answer: object) -> str:
    assert isinstance(answer, dict)
    return "".join(part["text"] for item in answer["output"] for part in item.get("content", ()))


def test_a_chat_that_remembers(app: App) -> None:
    first = app.turn("naomi", "私の名前は渡辺直美です。")
    assert first.status == 200, first.body
    assert_valid(first.body, "Response")
    assert text(first.body).startswith("こんにちは、渡辺直美さん！")
    second = app.turn("naomi", "私の名前なんだっけ？")
    assert text(second.body).startswith("あなたの名前は渡辺直美さんです！")


def test_the_second_invocation_reads_what_the_first_wrote_to_momento(app: App) -> None:
    """Both run on the environment's one event loop: under a second one the client would fail, silently."""
    app.turn("one-loop", "My name is Naomi Watanabe.")
    app.momento.meter.reset()
    app.turn("one-loop", "What is my name?")
    metered = app.momento.meter.snapshot()
    assert metered.bytes_read > 0
    assert metered.calls["ListConcatenateBack"] == 1
    assert "ListFetch" not in metered.calls


def test_a_failed_turn_leaves_nothing_behind(app: App) -> None:
    app.model.script.extend([http_error(500), http_error(500)])
    answer = app.turn("fails", "hi")
    assert (answer.status, answer.error["code"]) == (502, "upstream_error")
    assert app.call("GET", "/v1/conversations/fails").status == 404
    assert app.turn("fails", "hi again").status == 200
    assert len(app.call("GET", "/v1/conversations/fails/items").body["data"]) == 2


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (http_error(400, code="bad"), 400, "bad"),
        (http_error(404), 404, None),
        (http_error(422), 422, None),
        (rate_limited(7), 429, "rate_limit_exceeded"),
        (http_error(403), 502, "upstream_error"),
        (malformed_json(), 502, "upstream_error"),
        (failed(), 502, "upstream_error"),
    ],
)
def test_what_the_provider_answers_reaches_the_caller(app: App, fault: Fault, status: int, code: str | None) -> None:
    app.model.script.append(fault)
    answer = app.turn("provider", "a question for the provider")
    assert answer.status == status, answer.body
    assert code is None or answer.error["code"] == code
    assert_valid(answer.body, "ErrorResponse")
    if status == 429:
        assert answer.headers["retry-after"] == "7"
    assert app.model_calls == 1
    assert app.call("GET", "/v1/conversations/provider").status == 404


def test_our_own_credentials_refused_is_our_fault_and_not_retried(app: App) -> None:
    app.model.script.extend([http_error(401), http_error(401)])
    answer = app.turn("refused", "hi")
    assert (answer.status, answer.error["code"]) == (502, "upstream_error")
    assert answer.headers["x-should-retry"] == "false"


def test_a_slow_model_ends_a_turn_in_time_and_leaves_nothing(app: App) -> None:
    app.model.script.append(slow(20))
    answer = app.turn("slow", "hi", seconds=5.3)
    assert (answer.status, answer.error["code"]) == (504, "deadline_exceeded")
    assert answer.headers["x-should-retry"] == "false"
    assert app.call("GET", "/v1/conversations/slow").status == 404


def test_a_slow_model_ends_a_stateless_call_with_its_own_code(app: App) -> None:
    app.model.script.append(slow(20))
    answer = app.call("POST", "/v1/responses", {"model": "m", "input": "slow, stateless"}, seconds=1.5)
    assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")


def test_every_member_reaches_the_model_but_ours(app: App) -> None:
    body = {
        "model": "gpt-4.1-mini",
        "input": "untouched",
        "future_parameter": {"a": [1, 2.5, None, "日本"]},
        "top_p": 0.5,
        "metadata": {"trace": "1"},
        "text": {"format": {"type": "text"}},
    }
    app.call("POST", "/v1/responses", body)
    assert app.model.requests[-1] == {**body, "store": False}
    app.turn("untouched", "untouched", memory={"max_messages": 5}, future_parameter=1)
    sent = app.model.requests[-1]
    assert sent == {
        "model": "gpt-4.1-mini",
        "future_parameter": 1,
        "store": False,
        "input": [{"type": "message", "role": "user", "content": "untouched"}],
    }


def test_instructions_stand_in_for_the_pinned_system_message_for_one_turn(app: App) -> None:
    app.turn("pinned", [{"role": "developer", "content": "Be kind."}, {"role": "user", "content": "one"}])
    app.turn("pinned", "two", instructions="Be brief.")
    sent = app.model.requests[-1]
    assert sent["instructions"] == "Be brief."
    assert "Be kind." not in str(sent["input"])
    app.turn("pinned", "three")
    sent = app.model.requests[-1]
    assert sent["input"][0] == {"type": "message", "role": "developer", "content": "Be kind."}
    assert "Be brief." not in str(sent)


def test_the_same_key_is_answered_once_and_replayed(app: App) -> None:
    headers = {"Idempotency-Key": "key-1"}
    first = app.turn("once", "only once", headers=headers)
    second = app.turn("once", "only once", headers=headers)
    assert second.body == first.body
    assert second.headers["idempotent-replayed"] == "true"
    assert app.model_calls == 1
    other = app.turn("once", "another body", headers=headers)
    assert (other.status, other.error["code"]) == (422, "idempotency_key_reused")
    assert app.turn("once", "only once", user="other", headers=headers).status == 200


def test_the_sdks_own_retry_is_recognised(app: App) -> None:
    first = app.turn("retry", "hello")
    again = app.turn("retry", "hello", headers={"X-Stainless-Retry-Count": "1"})
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert app.turn("retry", "hello", headers={"X-Stainless-Retry-Count": "0"}).body != first.body
    assert app.call("GET", "/v1/conversations/retry").body["omoide"]["turns"] == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside", "日本"])
def test_a_bad_idempotency_key_is_named(app: App, key: str) -> None:
    answer = app.turn("bad-key", "hi", headers={"Idempotency-Key": key})
    assert (answer.status, answer.error["param"]) == (400, "Idempotency-Key")
    assert app.model_calls == 0


def test_an_answer_tells_where_its_time_went(app: App) -> None:
    parts = app.turn("timed", "hi").headers["server-timing"].split(", ")
    spent = {name: float(ms) for name, ms in (part.split(";dur=") for part in parts)}
    assert list(spent) == ["lease", "memory", "view", "cache", "model", "commit", "append", "total"]
    assert spent.pop("total") >= sum(spent.values()) - 0.5
    assert "server-timing" not in app.call("GET", "/v1/conversations/timed").headers


def test_references_to_the_conversations_own_items_are_understood(app: App) -> None:
    first = app.turn("refers", "My name is Naomi.").body
    own = {"type": "item_reference", "id": first["output"][0]["id"]}
    asked = [own, {"role": "user", "content": "What is my name?"}]
    dry = app.turn("refers", asked, memory={"dry_run": True}).body
    answer = app.turn("refers", asked)
    assert answer.status == 200, answer.body
    sent = app.model.requests[-1]["input"]
    assert sent == dry["input"]
    assert [item["content"] for item in sent][::2] == ["My name is Naomi.", "What is my name?"]
    listed = app.call("GET", "/v1/conversations/refers/items", query={"order": "asc"}).body["data"]
    assert [item["role"] for item in listed] == ["user", "assistant"] * 2


def test_references_to_nothing_here_are_refused_by_name(app: App) -> None:
    other = app.turn("refers-other", "Another's.", user="another").body["output"][0]["id"]
    own = app.turn("refers-other", "Mine.").body["output"][0]["id"]
    first = app.turn("refers-wrongly", "The first.").body["output"][0]["id"]
    path = f"/v1/conversations/refers-wrongly/items/{first}"
    assert app.call("DELETE", path).status == 200
    calls = app.model_calls
    hi = {"role": "user", "content": "hi"}
    for wrong in (other, first, first[:-12] + "0" * 11 + "f"):
        refused = app.turn("refers-wrongly", [hi, {"type": "item_reference", "id": wrong}])
        assert (refused.status, refused.error["param"], refused.error["code"]) == (400, "input[1]", "item_not_found")
    alone = app.turn("refers-other", [{"type": "item_reference", "id": own}])
    assert (alone.status, alone.error["param"]) == (400, "input")
    for conversation in ({"conversation": "refers-wrongly"}, {}):
        at_the_provider = {"input": [hi, {"type": "item_reference", "id": "rs_0a1b"}], **conversation}
        refused = app.call("POST", "/v1/responses", {"model": "gpt-4.1-mini", **at_the_provider})
        assert (refused.status, refused.error["param"]) == (400, "input[1]")
        assert "`store: false`" in refused.error["message"]
    assert app.model_calls == calls
