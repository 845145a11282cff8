"""A conversation that the provider compacts, and what is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import UpstreamError
from chat_core.model.whole_others import whole_compaction, whole_models
from local.model import faults
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import App

PATH = "/v1/responses/compact"
SAID: list[dict[str, Any]] = [
    {"role": "user", "content": "We launch on Tuesday."},
    {"role": "assistant", "content": "Understood: Tuesday, and my lucky number is 417."},
]


def test_a_compaction_comes_through_and_goes_on(app: App) -> None:
    body = {"model": "gpt-4.1-mini", "input": SAID, "prompt_cache_key": "k"}
    answer = app.call("POST", PATH, body)
    assert answer.status == 200, answer.body
    assert answer.headers["x-cache"] == "BYPASS"
    assert answer.body["object"] == "response.compaction"
    assert_valid(answer.body["usage"], "ResponseUsage")
    user, compaction = answer.body["output"]
    assert_valid(compaction, "CompactionBody")
    assert (user["role"], user["content"][0]["text"]) == ("user", "We launch on Tuesday.")
    before = app.model.calls[PATH]
    assert app.call("POST", PATH, body).status == 200
    assert app.model.calls[PATH] == before + 1  # each is the provider's own
    for more in ({}, {"conversation": "compacted"}):
        going_on = {"model": "gpt-4.1-mini", "input": [*answer.body["output"], {"role": "user", "content": "So?"}]}
        assert app.call("POST", "/v1/responses", {**going_on, **more}).status == 200
        sent = app.model.requests[-1]["input"]
        assert [item.get("type", "message") for item in sent] == ["message", "compaction", "message"]
        assert "id" not in sent[1]
    listed = app.call("GET", "/v1/conversations/compacted/items").body["data"]
    assert "compaction" in [item["type"] for item in listed]


@pytest.mark.parametrize("place", [{}, {"conversation": "launch"}], ids=["stateless", "conversation"])
def test_what_came_before_a_response_is_compacted(app: App, place: dict[str, Any]) -> None:
    def answered(text: str, **more: Any) -> str:
        return str(app.call("POST", "/v1/responses", {"model": "gpt-4.1-mini", "input": text, **more}).body["id"])

    first = answered("We launch on Tuesday.", **place)
    second = answered("The venue is booked.", **place or {"previous_response_id": first})
    answered("What came later is not of it.", **place or {"previous_response_id": second})
    body = {"model": "gpt-4.1-mini", "previous_response_id": second, "input": "And so on."}
    assert app.call("POST", PATH, body).status == 200
    sent = app.model.requests[-1]
    assert "previous_response_id" not in sent
    said = [(item["role"], item["content"]) for item in sent["input"] if item["role"] == "user"]
    assert said == [("user", text) for text in ("We launch on Tuesday.", "The venue is booked.", "And so on.")]
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user", "assistant", "user"]
    assert all("id" not in item for item in sent["input"])
    del body["input"]
    assert app.call("POST", PATH, body).status == 200
    assert len(app.model.requests[-1]["input"]) == 4
    for user, named in (("mallory", second), ("naomi", "resp_none")):
        calls = app.model.calls[PATH]
        refused = app.call("POST", PATH, {**body, "previous_response_id": named}, user=user)
        assert (refused.status, refused.error["code"]) == (400, "previous_response_not_found")
        assert refused.error["param"] == "previous_response_id"
        assert app.model.calls[PATH] == calls


def test_ids_of_ones_own_items_stay_here(app: App) -> None:
    app.call("POST", PATH, {"model": "gpt-4.1-mini", "input": [{"id": "msg_x", "type": "message", **SAID[0]}]})
    assert "id" not in app.model.requests[-1]["input"][0]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": SAID}, "model"),
        ({"model": "", "input": SAID}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": []}, "input"),
        ({"model": "m", "input": ""}, "input"),
        ({"model": "m", "input": [{"role": "nobody", "content": "x"}]}, "input[0].role"),
        ({"model": "m", "input": SAID, "conversation": "c"}, "conversation"),
        ({"model": "m", "input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"model": "m", "input": SAID, "prompt": {"id": "p"}}, "prompt"),
    ],
)
def test_what_is_wrong_is_named_and_nobody_is_asked(app: App, body: dict[str, Any], param: str) -> None:
    before = app.model.calls[PATH]
    answer = app.call("POST", PATH, body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert app.model.calls[PATH] == before


def test_the_providers_refusal_comes_through(app: App) -> None:
    app.model.script.append(faults.rate_limited(1))
    answer = app.call("POST", PATH, {"model": "m", "input": SAID})
    assert (answer.status, answer.error["code"]) == (429, "rate_limit_exceeded")


def test_what_a_lean_provider_leaves_out_is_made_whole() -> None:
    made = whole_compaction(
        {"output": [{"role": "user", "content": "a"}, {"type": "compaction", "encrypted_content": "x"}]}, now=5
    )
    assert made["created_at"] == 5
    assert made["id"].startswith("resp_")
    assert_valid(made["usage"], "ResponseUsage")
    user, compaction = made["output"]
    assert (user["type"], user["role"], user["status"]) == ("message", "user", "completed")
    assert user["content"] == [{"type": "input_text", "text": "a"}]
    assert_valid(compaction, "CompactionBody")


@pytest.mark.parametrize("answer", [None, [], {}, {"output": "x"}, {"output": [3]}, {"output": [{"role": ["user"]}]}])
def test_what_is_no_compaction_is_refused(answer: object) -> None:
    with pytest.raises(UpstreamError):
        whole_compaction(answer, now=0)


def test_a_list_of_models_is_made_whole() -> None:
    listed = {"data": [{"id": "a", "owned_by": "x", "context_window": 5}, {"id": ""}, 3, {"id": "b", "created": "z"}]}
    assert whole_models(listed) == [
        {"id": "a", "object": "model", "created": 0, "owned_by": "x", "context_window": 5},
        {"id": "b", "object": "model", "created": 0, "owned_by": "unknown"},
    ]
    nothing: list[object] = [None, [], {}, {"data": {}}]
    for answer in nothing:
        with pytest.raises(UpstreamError):
            whole_models(answer)
