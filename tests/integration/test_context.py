"""What the model sees can be asked for, without a turn and before one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.app import App

CALL = {"type": "function_call", "call_id": "c1", "name": "lookup", "arguments": '{"city":"Oslo"}'}
RESULT = {"type": "function_call_output", "call_id": "c1", "output": "4C " * 40}
HISTORY: list[dict[str, Any]] = [
    {"role": "developer", "content": "Be kind."},
    {"role": "user", "content": "私の名前は渡辺直美です。"},
    {"role": "assistant", "content": "こんにちは、渡辺直美さん！"},
    {"role": "user", "content": "What is the weather in Oslo?"},
    CALL,
    RESULT,
    {"role": "assistant", "content": "4C"},
    {"role": "user", "content": "Thanks."},
    {"role": "assistant", "content": "You are welcome."},
]
POLICIES: list[dict[str, Any]] = [
    {"policy": "buffer"},
    {"policy": "message_window", "max_messages": 4},
    {"policy": "message_window", "max_messages": 5, "granularity": "message"},
    {"policy": "message_window", "max_messages": 6, "evict_step_messages": 2},
    {"policy": "turn_window", "max_turns": 2},
    {"policy": "token_window", "max_tokens": 60},
    {"policy": "token_window", "context_window": 8000, "reserve_output_tokens": 7900},
    {"policy": "token_window", "max_tokens": 110, "clear_tool_results": {"trigger_tokens": 60, "keep": 0}},
]


def conversation(app: App, **settings: Any) -> str:
    created = app.call("POST", "/v1/conversations", {"items": HISTORY, **settings})
    assert created.status == 200, created.body
    return str(created.body["id"])


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@pytest.mark.parametrize("stored", [True, False])
def test_a_dry_run_equals_the_next_request_upstream(app: App, policy: dict[str, Any], stored: bool) -> None:
    name = conversation(app, memory=policy) if stored else conversation(app)
    memory = {} if stored else policy
    for _ in range(2):
        dry = app.turn(name, "And now?", memory={**memory, "dry_run": True})
        assert dry.status == 200, dry.body
        assert app.turn(name, "And now?", **({"memory": memory} if memory else {})).status == 200
        assert app.model.requests[-1]["input"] == dry.body["input"]
        assert dry.body["policy"] == policy["policy"]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_the_context_is_the_historys_part_of_it(app: App, policy: dict[str, Any]) -> None:
    name = conversation(app, memory=policy)
    context = app.call("GET", f"/v1/conversations/{name}/context", query={"model": "gpt-4.1-mini"})
    assert context.status == 200, context.body
    assert context.body["object"] == "conversation.context"
    assert context.body["conversation"] == name
    tokens = context.body["tokens"]
    assert tokens["total"] == sum(tokens[part] for part in ("system", "history", "input", "tools")) + 3
    listed = app.call("GET", f"/v1/conversations/{name}/items", query={"limit": "100"}).body["data"]
    left_out = context.body["left_out"]
    assert {left["item_id"] for left in left_out} <= {item["id"] for item in listed}
    gone = {left["item_id"] for left in left_out if left["reason"] == "window"}
    assert len(context.body["input"]) + len(gone) == len(HISTORY)


def test_a_context_looks_through_other_settings_by_its_query(app: App) -> None:
    name = conversation(app)
    query = {"policy": "message_window", "max_messages": "3"}
    context = app.call("GET", f"/v1/conversations/{name}/context", query=query).body
    assert [item["content"] for item in context["input"]] == ["Be kind.", "Thanks.", "You are welcome."]
    assert context["evicted"] == 6
    bad = app.call("GET", f"/v1/conversations/{name}/context", query={"max_messages": "0"})
    assert (bad.status, bad.error["param"]) == (400, "memory.max_messages")
    assert app.call("GET", "/v1/conversations/conv_none/context").status == 404


def test_a_dry_run_costs_no_call_and_leaves_nothing(app: App) -> None:
    dry = app.turn("dry", "hello", memory={"dry_run": True})
    assert dry.body["input"] == [{"type": "message", "role": "user", "content": "hello"}]
    assert app.model_calls == 0
    assert app.call("GET", "/v1/conversations/dry").status == 404


def test_a_turn_that_only_reads_leaves_no_trace(app: App) -> None:
    app.turn("reader", "My name is Naomi Watanabe.")
    before = app.call("GET", "/v1/conversations/reader").body
    answer = app.turn("reader", "What is my name?", memory={"read_only": True})
    assert "Your name is Naomi Watanabe!" in str(answer.body["output"])
    assert app.call("GET", "/v1/conversations/reader").body == before
    assert app.turn("nobody", "hi", memory={"read_only": True}).status == 200
    assert app.call("GET", "/v1/conversations/nobody").status == 404


def test_what_does_not_fit_a_token_budget_is_refused_before_the_model_is_paid(app: App) -> None:
    refused = app.turn("budget", "long " * 200, memory={"policy": "token_window", "max_tokens": 50})
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "context_budget_exceeded", "memory")
    assert app.model_calls == 0
    kept = app.turn("budget", "long " * 200, memory={"policy": "token_window", "max_tokens": 50, "on_overflow": "keep"})
    assert kept.body["omoide"]["memory"]["over_budget"] is True


def test_a_turns_override_is_merged_into_the_stored_policy(app: App) -> None:
    name = conversation(app, memory={"policy": "token_window", "max_tokens": 500})
    answer = app.turn(name, "And now?", memory={"max_tokens": 40})
    assert answer.status == 200, answer.body
    assert answer.body["omoide"]["memory"]["tokens"]["total"] <= 40


BUDGET = {"policy": "token_window", "max_tokens": 40}
LONG = {"role": "system", "content": "Answer briefly, and in Japanese where the question is. " * 10}


def test_a_budget_that_the_pinned_system_message_exceeds_is_not_stored(app: App) -> None:
    refused = app.call("POST", "/v1/conversations", {"items": [LONG], "memory": BUDGET})
    assert (refused.status, refused.error["param"]) == (400, "memory.max_tokens")
    assert "from 1" in refused.error["message"]
    made = app.call("POST", "/v1/conversations", {"items": [LONG]}).body
    changed = app.call("POST", f"/v1/conversations/{made['id']}", {"memory": BUDGET})
    assert (changed.status, changed.error["param"]) == (400, "memory.max_tokens")
    assert app.call("GET", f"/v1/conversations/{made['id']}").body == made
    kept = app.call("POST", f"/v1/conversations/{made['id']}", {"memory": {**BUDGET, "on_overflow": "keep"}})
    assert kept.status == 200
    assert app.model_calls == 0


def test_what_is_too_much_to_explain_at_once_is_refused_with_the_way_out(app: App) -> None:
    items = [{"role": "user", "content": "漢 " * 75_000}] * 8
    name = "too-long-to-explain"
    assert app.turn(name, items, memory={"policy": "message_window", "max_messages": 2}).status == 200
    path = f"/v1/conversations/{name}/context"
    refused = app.call("GET", path, query={"policy": "buffer"})
    assert (refused.status, refused.error["param"], refused.error["code"]) == (413, "policy", "context_too_large")
    assert "page through the items" in refused.error["message"]
    calls = app.model_calls
    assert app.turn(name, "?", memory={"policy": "buffer", "dry_run": True}).status == 413
    assert app.model_calls == calls
    assert app.turn(name, "go on").status == 200


def sums(context: dict[str, Any]) -> None:
    parts = dict(context["tokens"])
    assert parts.pop("total") == sum(parts.values())
    by_part: dict[str, int] = {}
    for message in context["messages"]:
        by_part[message["part"]] = by_part.get(message["part"], 0) + message["tokens"]
    assert by_part == {name: count for name, count in parts.items() if count and name not in ("tools", "framing")}


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_parts_and_messages_add_up_to_the_total(app: App, policy: dict[str, Any]) -> None:
    name = conversation(app, memory=policy)
    sums(app.call("GET", f"/v1/conversations/{name}/context", query={"model": "gpt-4.1-mini"}).body)
    dry = app.turn(name, "And now?", instructions="Be brief.", memory={"dry_run": True}).body
    sums(dry)
    assert dry["messages"][-1] == {"item_ids": [], "part": "input", "tokens": dry["messages"][-1]["tokens"]}


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_each_item_is_seen_or_left_out(app: App, policy: dict[str, Any]) -> None:
    name = conversation(app, memory=policy)
    context = app.call("GET", f"/v1/conversations/{name}/context").body
    items = app.call("GET", f"/v1/conversations/{name}/items", query={"limit": "100"}).body["data"]
    seen = {item_id for message in context["messages"] for item_id in message["item_ids"]}
    left = {left["item_id"] for left in context["left_out"]}
    assert {item["id"] for item in items} == seen | left
    assert not seen & {left["item_id"] for left in context["left_out"] if left["reason"] == "window"}


def test_the_settings_that_hold_are_told_with_their_source(app: App) -> None:
    name = conversation(app)
    path = f"/v1/conversations/{name}/context"
    usual = app.call("GET", path).body
    assert (usual["memory"]["policy"], usual["memory"]["max_messages"]) == ("message_window", 20)
    assert (usual["memory"]["granularity"], usual["source"]) == ("turn", "default")
    app.call("POST", f"/v1/conversations/{name}", {"memory": {"policy": "turn_window", "max_turns": 3}})
    stored = app.call("GET", path).body
    assert (stored["memory"]["max_turns"], stored["source"]) == (3, "conversation")
    tried = app.call("GET", path, query={"max_turns": "1"}).body
    assert (tried["memory"]["max_turns"], tried["source"]) == (1, "turn")
    assert app.turn(name, "And now?", memory={"dry_run": True}).body["source"] == "conversation"


def test_settings_are_compared_in_one_call(app: App) -> None:
    name = conversation(app)
    path = f"/v1/conversations/{name}/context"
    compared = app.call("POST", path, {"compare": POLICIES, "model": "gpt-4.1-mini"})
    assert compared.status == 200, compared.body
    assert compared.body["object"] == "list"
    for policy, context in zip(POLICIES, compared.body["data"], strict=True):
        assert context["policy"] == policy["policy"]
        sums(context)
    first = app.call("GET", path, query={"policy": "buffer", "model": "gpt-4.1-mini"}).body
    assert compared.body["data"][0] == first


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "compare"),
        ({"compare": {}}, "compare"),
        ({"compare": []}, "compare"),
        ({"compare": [{}] * 9}, "compare"),
        ({"compare": [{}, "buffer"]}, "compare[1]"),
        ({"compare": [{"policy": "telepathy"}]}, "memory.policy"),
        ({"compare": [{"policy": "buffer"}], "model": 7}, "model"),
    ],
)
def test_a_bad_comparison_names_what_is_wrong(app: App, body: dict[str, Any], param: str) -> None:
    name = conversation(app)
    answer = app.call("POST", f"/v1/conversations/{name}/context", body)
    assert (answer.status, answer.body["error"]["param"]) == (400, param)


def test_a_comparison_reads_no_other_users_conversation(app: App) -> None:
    name = conversation(app)
    other = app.call("POST", f"/v1/conversations/{name}/context", {"compare": [{"policy": "buffer"}]}, user="eve")
    assert other.status == 404


def test_a_query_takes_a_stored_field_away(app: App) -> None:
    name = conversation(app, memory={"policy": "summary_window", "trigger_messages": 8})
    path = f"/v1/conversations/{name}/context"
    assert app.call("GET", path, query={"trigger_tokens": "500"}).status == 400
    tried = app.call("GET", path, query={"trigger_tokens": "500", "trigger_messages": "null"})
    assert (tried.status, tried.body["memory"]["trigger_tokens"]) == (200, 500)


@pytest.mark.parametrize(
    ("memory", "trigger", "keep"),
    [
        ({"policy": "summary_window"}, ("trigger_tokens", 4_000), 2_000),
        ({"policy": "summary"}, ("trigger_tokens", 1_000), 0),
        ({"policy": "summary_window", "trigger_messages": 8}, ("trigger_messages", 8), 4),
    ],
)
def test_when_a_summary_is_due_is_among_the_settings_that_hold(
    app: App, memory: dict[str, Any], trigger: tuple[str, int], keep: int
) -> None:
    name = conversation(app, memory=memory)
    told = app.call("GET", f"/v1/conversations/{name}/context").body["memory"]
    assert (told[trigger[0]], told["keep"], told["max_summary_tokens"]) == (trigger[1], keep, 400)


def test_a_context_tells_what_momento_has_and_until_when(app: App) -> None:
    name = conversation(app)
    app.turn(name, "And now?")
    path = f"/v1/conversations/{name}/context"
    context = app.call("GET", path).body
    found = app.momento.peek("omoide", f"message_store:local/{name}")
    assert found is not None
    elements, seconds = found
    assert context["hot"]["messages"] == len(elements) > 9
    assert abs(context["hot"]["expires_at"] - (time.time() + seconds)) < 30  # of a day
    compared = app.call("POST", path, {"compare": [{"policy": "buffer"}, {}]}).body["data"]
    assert [one["hot"] for one in compared] == [context["hot"]] * 2
    app.momento.wipe()
    assert app.call("GET", path).body["hot"] == {"messages": 0, "expires_at": None}
    assert app.call("GET", "/v1/conversations/never-begun/context").body["hot"]["messages"] == 0
