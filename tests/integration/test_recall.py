"""Recall through the real handlers: indexed behind the answer, quoted before the next input, erased with its turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.long_term import question
from tests.integration.test_memory import deliver, memory_of
from tests.table_client import rows_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.app import App

RECALL: dict[str, Any] = {"policy": "turn_window", "max_turns": 2, "recall": True}
DOG = "My dog Pochi eats salmon and brown rice every evening."
WORDS = (
    "the ferry was late and the harbour was full of gulls because of the storm that came over the hills in the night "
) * 24
QUESTION = "What did I say about the food of my dog Pochi?"


def talk(app: App, memory: Mapping[str, Any] = RECALL, *, first: str = DOG, turns: int = 8, **more: Any) -> str:
    """Tell something, then so much else that the turn leaves the window and a fold is due, and fold."""
    name: str = app.call("POST", "/v1/conversations", {"memory": memory}, **more).body["id"]
    assert app.turn(name, first, **more).status == 200
    for number in range(turns):
        assert app.turn(name, f"{number}: {WORDS}", **more).status == 200
    deliver(name)
    return name


def context_of(app: App, name: str, text: str, **memory: Any) -> Any:
    body = {"conversation": name, "input": text, "memory": {"dry_run": True, **memory}}
    return app.call("POST", "/v1/responses", body).body


def quoted(context: Mapping[str, Any]) -> str:
    texts = [json.dumps(item, ensure_ascii=False) for item in context["input"]]
    return "".join(text for text in texts if "<recalled_turns>" in text)


def items_of(app: App, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.call("GET", f"/v1/conversations/{name}/items", query={"order": "asc"}).body[
        "data"
    ]
    return found


def test_a_question_brings_up_the_turn_that_answers_it(app: App) -> None:
    name = talk(app)
    told = memory_of(app, name).body["recall"]
    assert told["turns"] == 8
    answer = app.turn(name, QUESTION)
    report = answer.body["omoide"]["memory"]
    first = [item["id"] for item in items_of(app, name)[:2]]
    assert report["recalled"] == first
    assert report["degraded"] is None
    assert answer.headers["x-cache"] == "BYPASS"
    assert "personal-memory" in answer.headers["cache-status"]
    # The history holds what was said, and nothing that was shown.
    assert "recalled_turns" not in json.dumps(items_of(app, name))


def test_a_question_about_something_else_brings_up_nothing(app: App) -> None:
    name = talk(app)
    report = app.turn(name, "Explain the difference between a mutex and a semaphore.").body["omoide"]["memory"]
    assert (report["recalled"], report["degraded"]) == ([], None)


def test_a_context_tells_what_is_recalled_and_what_is_not_and_why(app: App) -> None:
    name = talk(app)
    context = context_of(app, name, QUESTION)
    assert DOG in quoted(context)
    parts = [message["part"] for message in context["messages"]]
    assert parts[-2:] == ["recalled", "input"]
    first = [item["id"] for item in items_of(app, name)[:2]]
    assert context["messages"][-2]["item_ids"] == first
    assert context["tokens"]["recalled"] == context["messages"][-2]["tokens"] <= 512
    assert sum(tokens for part, tokens in context["tokens"].items() if part != "total") == context["tokens"]["total"]
    assert context["recall"]["turns"] == 8
    assert [shown["item_id"] for shown in context["recall"]["shown"]] == first[:1]
    assert not {left["item_id"] for left in context["left_out"]} & set(first)
    scored = [left for left in context["left_out"] if "score" in left]
    assert scored
    assert {left["reason"] for left in scored} <= {"below_floor", "duplicate", "token_cap"}
    nothing = context_of(app, name, "Explain the difference between a mutex and a semaphore.")
    assert quoted(nothing) == ""
    assert {left["reason"] for left in nothing["left_out"] if "score" in left} <= {"below_floor"}


def test_what_stands_before_what_is_recalled_stays_the_same(app: App) -> None:
    name = talk(app)
    one, other = (context_of(app, name, text)["input"] for text in (QUESTION, "And the gulls of the harbour?"))
    assert one[:-2] == other[: len(one) - 2]


def test_a_turn_asks_for_itself_and_turns_it_off(app: App) -> None:
    name = talk(app)
    assert quoted(context_of(app, name, QUESTION, recall=False)) == ""
    assert quoted(context_of(app, name, QUESTION, recall={"min_score": 1})) == ""
    assert quoted(context_of(app, name, QUESTION, recall={"expires_after": 3_600})) != ""
    plain = talk(app, {"policy": "turn_window", "max_turns": 2})
    # What was never indexed is not found.
    assert quoted(context_of(app, plain, QUESTION, recall=True)) == ""
    refused = app.call("POST", "/v1/responses", {"conversation": name, "input": "x", "memory": {"recall": {"k": 0}}})
    assert (refused.status, refused.error["param"]) == (400, "memory.recall.k")


def test_an_embedding_that_is_late_leaves_the_words(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """RC-013."""
    name = talk(app)
    app.model.delay = 60.0
    with monkeypatch.context() as hurried:
        hurried.setattr(question, "EMBED_SECONDS", 0.3)
        late = context_of(app, name, QUESTION)
    assert DOG in quoted(late)
    assert late["recall"]["degraded"] == "lexical_only"
    app.model.delay = 0.0
    assert context_of(app, name, QUESTION)["recall"]["degraded"] is None


def test_deleting_an_item_takes_its_turn_out_of_the_very_next_view(app: App) -> None:
    name = talk(app)
    assert quoted(context_of(app, name, QUESTION))
    first = items_of(app, name)[0]["id"]
    assert app.call("DELETE", f"/v1/conversations/{name}/items/{first}").status == 200
    assert quoted(context_of(app, name, QUESTION)) == ""
    assert memory_of(app, name).body["recall"]["turns"] == 7
    deliver(name)
    assert DOG not in json.dumps(context_of(app, name, QUESTION))


def test_forgetting_empties_the_index_and_rebuilding_fills_it(app: App) -> None:
    """VM-002."""
    name = talk(app)
    assert app.call("DELETE", f"/v1/conversations/{name}/memory").status == 200
    assert quoted(context_of(app, name, QUESTION)) == ""
    assert memory_of(app, name).body["recall"]["turns"] == 0
    assert app.call("POST", f"/v1/conversations/{name}/memory", {"rebuild": True}).status == 200
    deliver(name)
    assert memory_of(app, name).body["recall"]["turns"] == 8
    assert DOG in quoted(context_of(app, name, QUESTION))


def test_an_erased_conversation_leaves_no_index(app: App) -> None:
    name = talk(app)
    receipt = app.call("DELETE", f"/v1/conversations/{name}")
    assert receipt.status == 200
    from chat import handler as chat

    table = chat.parts().stores.table
    rows = rows_in(table._connected(), table.name)
    assert not [row for row in rows if name in row["pk"]["S"]]


def test_read_only_turns_leave_no_trace_in_the_index(app: App) -> None:
    """MX-004."""
    name = talk(app)
    body = {"conversation": name, "input": "My PIN is 1234, volcano.", "memory": {"read_only": True}}
    assert app.call("POST", "/v1/responses", body).status == 200
    for number in range(8):
        app.turn(name, f"{number}: {WORDS}")
    deliver(name)
    assert "PIN" not in quoted(context_of(app, name, "What is my PIN, volcano?"))


def test_another_user_finds_nothing_of_it_nor_another_conversation(app: App) -> None:
    talk(app, {**RECALL, "recall": {"scope": "user"}})
    theirs = talk(app, {**RECALL, "recall": {"scope": "user"}}, first="Hello there.", user="somebody")
    body = {"conversation": theirs, "input": QUESTION, "memory": {"dry_run": True}}
    context = app.call("POST", "/v1/responses", body, user="somebody").body
    assert quoted(context) == ""
    closed = talk(app, first="Hello there.")
    assert quoted(context_of(app, closed, QUESTION, recall={"scope": "user"})) == ""
    open_too = talk(app, {**RECALL, "recall": {"scope": "user"}}, first="Hello there.")
    assert DOG in quoted(context_of(app, open_too, QUESTION))


@pytest.mark.parametrize("policy", ["summary_window", "token_window", "message_window"])
def test_it_stands_beside_any_policy_within_its_budget(app: App, policy: str) -> None:
    settings: dict[str, Any] = {
        "summary_window": {"policy": "summary_window", "max_tokens": 1_200, "trigger_tokens": 600},
        "token_window": {"policy": "token_window", "max_tokens": 1_000, "on_overflow": "keep"},
        "message_window": {"policy": "message_window", "max_messages": 4},
    }[policy]
    name = talk(app, {**settings, "recall": True})
    context = context_of(app, name, QUESTION)
    assert DOG in quoted(context)
    if "max_tokens" in settings:
        assert context["tokens"]["total"] <= settings["max_tokens"]
        assert context["tokens"]["recalled"] <= settings["max_tokens"] // 4
    assert app.turn(name, QUESTION).status == 200
