"""The history function's routes, in OpenAI's shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.integration.app import App

USER_SAYS = {"role": "user", "content": "こんにちは👋\n二行目"}


def create(app: App, **body: Any) -> str:
    answer = app.call("POST", "/v1/conversations", body)
    assert answer.status == 200, answer.body
    assert_valid(answer.body, "ConversationResource")
    return str(answer.body["id"])


def test_a_conversation_is_created_read_changed_and_erased(app: App) -> None:
    conversation = create(app, metadata={"title": "旅行"}, items=[USER_SAYS])
    path = f"/v1/conversations/{conversation}"
    read = app.call("GET", path).body
    assert_valid(read, "ConversationResource")
    assert (read["metadata"], read["omoide"]["items"], read["omoide"]["title"]) == ({"title": "旅行"}, 1, "旅行")
    changed = app.call("POST", path, {"metadata": {"topic": "x"}}).body
    assert_valid(changed, "ConversationResource")
    assert changed["metadata"] == {"topic": "x"}
    erased = app.call("DELETE", path).body
    assert_valid(erased, "DeletedConversationResource")
    assert erased["deleted"] is True
    assert app.call("GET", path).status == 404
    assert app.call("DELETE", path).status == 404


def test_items_are_listed_in_both_orders_page_by_page(app: App) -> None:
    conversation = create(app)
    path = f"/v1/conversations/{conversation}/items"
    added = app.call("POST", path, {"items": [{"role": "user", "content": str(n)} for n in range(7)]}).body
    assert_valid(added, "ConversationItemList")
    ids = [item["id"] for item in added["data"]]
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        found: list[str] = []
        query = {"limit": "3", "order": order}
        while True:
            page = app.call("GET", path, query=query).body
            assert_valid(page, "ConversationItemList")
            found += [item["id"] for item in page["data"]]
            if not page["has_more"]:
                break
            query["after"] = page["last_id"]
        assert found == expected
    assert app.call("GET", path).body["data"][0]["id"] == ids[-1]


def test_one_item_is_read_and_deleted(app: App) -> None:
    conversation = create(app, items=[USER_SAYS, {"role": "assistant", "content": "hello"}])
    path = f"/v1/conversations/{conversation}/items"
    first = app.call("GET", path, query={"order": "asc"}).body["data"][0]
    item = app.call("GET", f"{path}/{first['id']}").body
    assert item == first
    assert_valid(item, "ConversationItem")
    assert item["content"] == [{"type": "input_text", "text": USER_SAYS["content"]}]
    assert_valid(app.call("DELETE", f"{path}/{first['id']}").body, "ConversationResource")
    assert app.call("GET", f"{path}/{first['id']}").status == 404
    assert len(app.call("GET", path).body["data"]) == 1


def test_a_deleted_call_takes_its_result_along_and_the_model_sees_neither(app: App) -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "lookup", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c1", "output": "4C"}
    conversation = create(app, items=[USER_SAYS, call, result])
    path = f"/v1/conversations/{conversation}/items"
    data = app.call("GET", path, query={"order": "asc"}).body["data"]
    app.call("DELETE", f"{path}/{data[1]['id']}")
    assert [item["type"] for item in app.call("GET", path).body["data"]] == ["message"]
    app.turn(conversation, "and now?")
    assert "4C" not in str(app.model.requests[-1])


def test_my_conversations_are_listed_newest_first_and_nobody_elses(app: App) -> None:
    user = "lister"
    names = []
    for n in range(3):
        names.append(f"talk-{n}")
        assert app.turn(names[-1], f"私の話 {n}", user=user).status == 200
    app.turn(names[0], "もう一度", user=user)
    listed = app.call("GET", "/v1/conversations", user=user, query={"limit": "2"}).body
    assert [one["id"] for one in listed["data"]] == ["talk-0", "talk-2"]
    assert listed["has_more"] is True
    assert listed["data"][0]["omoide"] == {
        "title": "私の話 0",
        "items": 4,
        "messages": 4,
        "turns": 2,
        "last_active_at": listed["data"][0]["omoide"]["last_active_at"],
    }
    rest = app.call("GET", "/v1/conversations", user=user, query={"limit": "2", "after": listed["last_id"]}).body
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (["talk-1"], False)


def test_what_is_anothers_is_not_found_in_the_same_bytes(app: App) -> None:
    conversation = create(app, items=[USER_SAYS])
    item = app.call("GET", f"/v1/conversations/{conversation}/items").body["data"][0]["id"]
    attempts: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("POST", "", {"metadata": {}}),
        ("DELETE", "", None),
        ("GET", "/items", None),
        ("POST", "/items", {"items": [USER_SAYS]}),
        ("GET", f"/items/{item}", None),
        ("DELETE", f"/items/{item}", None),
    ]
    for method, path, body in attempts:
        theirs = app.call(method, f"/v1/conversations/{conversation}{path}", body, user="mallory")
        nobodys = app.call(method, f"/v1/conversations/conv_none{path}", body, user="mallory")
        assert (theirs.status, theirs.body) == (404, nobodys.body), (method, path)
        assert_valid(theirs.body, "ErrorResponse")


def test_memory_settings_are_stored_merged_and_used(app: App) -> None:
    conversation = create(app, memory={"max_messages": 3})
    path = f"/v1/conversations/{conversation}"
    for n in range(4):
        answer = app.turn(conversation, f"message {n}")
        assert answer.status == 200, answer.body
    assert answer.body["omoide"]["memory"]["retained"] == 3
    assert len(app.model.requests[-1]["input"]) == 3
    changed = app.call("POST", path, {"memory": {"policy": "buffer"}})
    assert changed.status == 200, changed.body
    app.turn(conversation, "message 4")
    assert len(app.model.requests[-1]["input"]) == 9


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "1e1"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "１"}, "limit"),
        ({"order": "up"}, "order"),
        ({"after": "msg_nonsense"}, "after"),
        ({"after": ""}, "after"),
    ],
)
@pytest.mark.parametrize("path", ["/items", ""])
def test_a_bad_page_query_names_its_parameter(app: App, path: str, query: dict[str, str], param: str) -> None:
    whole = f"/v1/conversations/{create(app)}/items" if path else "/v1/conversations"
    answer = app.call("GET", whole, query=query)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert_valid(answer.body, "ErrorResponse")


def test_a_name_of_ones_own_is_there_before_its_first_turn(app: App) -> None:
    path = "/v1/conversations/before-any-turn"
    empty = app.call("GET", f"{path}/items", user="early")
    assert_valid(empty.body, "ConversationItemList")
    assert (empty.status, empty.body["data"], empty.body["has_more"]) == (200, [], False)
    context = app.call("GET", f"{path}/context", user="early")
    assert (context.status, context.body["input"], context.body["conversation"]) == (200, [], "before-any-turn")
    assert app.call("GET", path, user="early").status == 404
    assert app.call("GET", "/v1/conversations", user="early").body["data"] == []


def test_the_first_append_creates_a_name_of_ones_own(app: App) -> None:
    path = "/v1/conversations/begun-by-items"
    added = app.call("POST", f"{path}/items", {"items": [USER_SAYS]}, user="early")
    assert added.status == 200, added.body
    assert app.call("GET", f"{path}/items", user="early").body["data"] == added.body["data"]
    assert app.call("GET", path, user="early").body["omoide"]["items"] == 1
    assert app.turn("begun-by-items", "hi", user="early").status == 200
    assert [item["content"] for item in app.model.requests[-1]["input"]] == [USER_SAYS["content"], "hi"]
    again = app.call("POST", "/v1/conversations/conv_0123456789abcdef/items", {"items": [USER_SAYS]}, user="early")
    assert (again.status, again.error["code"]) == (404, "not_found")


def test_an_append_that_is_refused_creates_nothing(app: App) -> None:
    result = {"type": "function_call_output", "call_id": "nobodys", "output": "4C"}
    refused = app.call("POST", "/v1/conversations/never-begun/items", {"items": [result]}, user="early")
    assert (refused.status, refused.error["param"]) == (400, "items[0].call_id")
    assert app.call("GET", "/v1/conversations/never-begun", user="early").status == 404
