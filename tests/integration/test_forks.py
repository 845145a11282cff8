"""Forks of conversations through the functions: the original is untouched, and each goes its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import Answer, App


def fork(app: App, conversation: object, after: object = None, **more: Any) -> Answer:
    own = {member: more.pop(member) for member in ("user", "headers") if member in more}
    asked = {"omoide": {"fork": {"conversation": conversation, "after": after}}, **more}
    return app.call("POST", "/v1/conversations", asked, **own)


def items(app: App, conversation: str) -> list[dict[str, Any]]:
    query = {"order": "asc", "limit": "100"}
    found: list[dict[str, Any]] = app.call("GET", f"/v1/conversations/{conversation}/items", query=query).body["data"]
    return found


def bare(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in item.items() if name != "id"} for item in found]


@pytest.fixture
def talk(app: App) -> str:
    name = f"talk-{uuid4().hex[:8]}"
    for text in ("one", "two", "three"):
        app.turn(name, text)
    return name


def test_a_fork_begins_as_its_origin_did(app: App, talk: str) -> None:
    app.call("POST", f"/v1/conversations/{talk}", {"metadata": {"a": "b"}, "memory": {"max_messages": 3}})
    before = items(app, talk)
    made = fork(app, talk, before[3]["id"])
    assert made.status == 200, made.body
    assert_valid(made.body, "ConversationResource")
    assert made.body["omoide"] == {**made.body["omoide"], "title": "one", "items": 4, "messages": 4, "turns": 2}
    assert (made.body["metadata"], made.body["memory"]) == ({"a": "b"}, {"max_messages": 3})
    name = made.body["id"]
    assert app.call("GET", f"/v1/conversations/{name}").body["omoide"]["items"] == 4
    assert bare(items(app, name)) == bare(before[:4])
    assert not {item["id"] for item in items(app, name)} & {item["id"] for item in before}
    app.turn(name, "elsewhere")
    assert [str(item["content"]) for item in app.model.requests[-1]["input"]][-1] == "elsewhere"
    assert len(items(app, name)) == 6
    assert items(app, talk) == before
    assert name in [one["id"] for one in app.call("GET", "/v1/conversations").body["data"]]


def test_what_is_erased_in_one_stays_in_the_other(app: App, talk: str) -> None:
    name = fork(app, talk).body["id"]
    first = items(app, talk)[0]
    app.call("DELETE", f"/v1/conversations/{talk}/items/{first['id']}")
    assert bare(items(app, name))[0] == bare([first])[0]
    app.call("DELETE", f"/v1/conversations/{talk}")
    assert len(items(app, name)) == 6
    again = fork(app, name, metadata={"own": "one"}, memory={"policy": "buffer"}).body
    assert (again["metadata"], again["memory"]) == ({"own": "one"}, {"policy": "buffer"})
    assert app.call("DELETE", f"/v1/conversations/{name}").status == 200
    assert len(items(app, again["id"])) == 6


def test_a_key_makes_one_fork(app: App, talk: str) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    one, again = (fork(app, talk, headers=key) for _ in range(2))
    assert again.body == one.body
    assert again.headers["idempotent-replayed"] == "true"
    assert fork(app, talk, metadata={"another": "one"}, headers=key).status == 422


def test_a_fork_that_cannot_be(app: App, talk: str) -> None:
    other = f"talk-{uuid4().hex[:8]}"
    app.turn(other, "another's")
    theirs = items(app, other)[0]["id"]
    for refused, param in (
        (fork(app, talk, theirs), "omoide.fork.after"),
        (fork(app, talk, "msg_1"), "omoide.fork.after"),
        (fork(app, talk, 7), "omoide.fork.after"),
        (fork(app, "a/b"), "omoide.fork.conversation"),
        (fork(app, None), "omoide.fork.conversation"),
        (fork(app, talk, items=[{"role": "user", "content": "more"}]), "items"),
        (fork(app, talk, memory={"policy": "no such"}), "memory.policy"),
        (app.call("POST", "/v1/conversations", {"omoide": {"spoon": 1}}), "omoide.spoon"),
        (app.call("POST", "/v1/conversations", {"omoide": {"fork": {}}}), "omoide.fork.conversation"),
        (app.call("POST", "/v1/conversations", {"omoide": 1}), "omoide"),
    ):
        assert (refused.status, refused.error["param"]) == (400, param), refused.body
    unknown = fork(app, "no-such-talk")
    assert unknown.status == 404
    anothers = fork(app, talk, user="other")
    assert (anothers.status, anothers.body) == (404, unknown.body)
