"""What is known about a user, through the real handlers: found behind the answer, told, corrected, forgotten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.integration.app import Context
from tests.integration.test_memory import record

if TYPE_CHECKING:
    from tests.integration.app import Answer, App

SETTINGS = {"policy": "summary_window", "trigger_messages": 6, "keep": 2, "entities": True}


class User:
    """A user of a test's own: what one forgets, another may know."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.name = f"user-{uuid4().hex}"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return self._app.call(method, path, body, user=self.name, **more)

    def talk(self, *texts: str) -> str:
        name: str = self.call("POST", "/v1/conversations", {"memory": SETTINGS}).body["id"]
        self.say(name, *texts)
        return name

    def say(self, name: str, *texts: str) -> None:
        for text in (*texts, "今日は晴れです。", "明日は雨です。", "そうですか。"):
            assert self._app.turn(name, text, user=self.name).status == 200
        self.fold(name)

    def fold(self, name: str) -> None:
        from memory.handler import lambda_handler

        answer = lambda_handler({"Records": [record(name, self.name)]}, Context(60.0))
        assert answer == {"batchItemFailures": []}

    def facts(self, **query: str) -> list[dict[str, Any]]:
        answer = self.call("GET", "/v1/memory/facts", query={"limit": "100", **query})
        assert answer.status == 200, answer.body
        assert answer.body["object"] == "list"
        data: list[dict[str, Any]] = answer.body["data"]
        return data

    def fact(self, value: str) -> dict[str, Any]:
        return next(fact for fact in self.facts() if fact["object_value"] == value)

    def next_view(self, name: str) -> str:
        answer = self._app.turn(name, "こんにちは", user=self.name, memory={"dry_run": True})
        return json.dumps(answer.body["input"], ensure_ascii=False)


@pytest.fixture
def user(app: App) -> User:
    return User(app)


def test_facts_are_found_superseded_and_told(user: User) -> None:
    name = user.talk("大阪に住んでいます。")
    user.say(name, "来月から福岡です。")
    old, new = user.fact("大阪"), user.fact("福岡")
    assert (old["status"], old["superseded_by"], new["status"]) == ("superseded", new["id"], "current")
    assert user.facts(status="superseded") == [old]
    assert "福岡" in user.next_view(name).split("memory_notes")[1]
    items = user.call("GET", f"/v1/conversations/{name}/items", query={"limit": "100"}).body["data"]
    assert {*old["item_ids"], *new["item_ids"]} <= {item["id"] for item in items}
    told = user.call("GET", f"/v1/conversations/{name}/memory").body["facts"]
    assert {fact["id"] for fact in told} == {fact["id"] for fact in user.facts()}


def test_a_fact_is_read_corrected_once_and_told_as_it_is_then(user: User) -> None:
    name = user.talk("私の名前は渡辺直美です。")
    fact = user.fact("渡辺直美")
    path = f"/v1/memory/facts/{fact['id']}"
    assert user.call("GET", path).body == fact
    corrected = user.call("POST", path, {"object_value": "渡辺 直美", "version": fact["version"]})
    assert corrected.status == 200, corrected.body
    assert (corrected.body["object_value"], corrected.body["pinned"]) == ("渡辺 直美", True)
    late = user.call("POST", path, {"object_value": "x", "version": fact["version"]})
    assert (late.status, late.error["code"], late.error["param"]) == (409, "version_conflict", "version")
    assert "渡辺 直美" in user.next_view(name)


def test_a_forgotten_fact_is_in_no_view_and_comes_back_by_being_said(user: User) -> None:
    name = user.talk("私の名前は渡辺直美です。")
    fact = user.fact("渡辺直美")
    gone = user.call("DELETE", f"/v1/memory/facts/{fact['id']}")
    assert gone.body == {"id": fact["id"], "object": "memory.fact.deleted", "deleted": True}
    assert user.call("GET", f"/v1/memory/facts/{fact['id']}").status == 404
    assert user.facts() == []
    notes = user.next_view(name)
    assert "| 渡辺直美" not in notes
    user.call("POST", f"/v1/conversations/{name}/memory", {"rebuild": True})
    user.fold(name)
    assert "渡辺直美" not in json.dumps(user.facts(), ensure_ascii=False)


def test_an_erased_item_takes_its_fact_along(user: User) -> None:
    name = user.talk("私の名前は渡辺直美です。")
    fact = user.fact("渡辺直美")
    for item_id in fact["item_ids"]:
        user.call("DELETE", f"/v1/conversations/{name}/items/{item_id}")
    assert user.facts() == []


def test_an_erased_conversation_takes_its_facts_along(user: User) -> None:
    name = user.talk("私の名前は渡辺直美です。")
    assert user.facts()
    assert user.call("DELETE", f"/v1/conversations/{name}").status == 200
    assert user.facts() == []


def test_another_user_finds_nothing(app: App, user: User) -> None:
    user.talk("私の名前は渡辺直美です。")
    fact = user.facts()[0]
    path = f"/v1/memory/facts/{fact['id']}"
    eve = User(app)
    unknown = eve.call("GET", "/v1/memory/facts/fact_0123456789abcdef00000000000201")
    for method, body in (("GET", None), ("POST", {"object_value": "x", "version": 1}), ("DELETE", None)):
        answer = eve.call(method, path, body)
        assert (answer.status, answer.body) == (404, unknown.body)
    assert eve.facts() == []
    assert user.call("GET", path).status == 200


def test_all_memory_can_be_forgotten_and_the_history_stays(user: User) -> None:
    name = user.talk("私の名前は渡辺直美です。")
    answer = user.call("DELETE", "/v1/memory")
    assert (answer.status, answer.body["complete"]) == (200, True)
    assert user.facts() == []
    assert user.call("GET", f"/v1/conversations/{name}/memory").body["summary"] is None
    assert user.call("GET", f"/v1/conversations/{name}/items").body["data"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "version"),
        ({"version": 1}, "object_value"),
        ({"version": 0, "pinned": True}, "version"),
        ({"version": "1", "pinned": True}, "version"),
        ({"version": 1, "object_value": ""}, "object_value"),
        ({"version": 1, "object_value": "x" * 201}, "object_value"),
        ({"version": 1, "object_value": "\u200b"}, "object_value"),
        ({"version": 1, "valid_to": "tomorrow"}, "valid_to"),
        ({"version": 1, "pinned": 1}, "pinned"),
        ({"version": 1, "pinned": True, "subject": "x"}, "subject"),
    ],
)
def test_a_bad_correction_names_what_is_wrong(app: App, body: dict[str, Any], param: str) -> None:
    answer = app.call("POST", "/v1/memory/facts/fact_x", body)
    assert (answer.status, answer.error["param"]) == (400, param)


@pytest.mark.parametrize(("query", "param"), [({"status": "new"}, "status"), ({"after": "x"}, "after")])
def test_a_bad_list_names_what_is_wrong(app: App, query: dict[str, str], param: str) -> None:
    answer = app.call("GET", "/v1/memory/facts", query=query)
    assert (answer.status, answer.error["param"]) == (400, param)
