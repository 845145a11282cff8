"""What is another's is not found, in the bytes of what does not exist; names of any form cannot cross."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.fault.keyed import keyed
from tests.integration.app import application

if TYPE_CHECKING:
    from tests.fault.conftest import World

USERS = [
    "b",
    "a/b",
    "a/b/c",
    "а",  # Cyrillic
    "ａ",  # full width
    "A",
    "a%2Fb",
    "%61",
    "a#b",
    "a:b",
    "..",
    "x" * 256,
    "x" * 255 + "y",
    "é",
    "é",  # the same to the eye
    "idempotency#0",
    "a/idempotency#0",
]
ITEM = {"items": [{"role": "user", "content": "x"}]}


@pytest.fixture(params=["claims", "user", "app"])
def asking(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Users by the claims of their tokens, by API keys of their own, and as the end users of one app's key."""
    return world if request.param == "claims" else keyed(world, request.param, monkeypatch)


def ids(world: World) -> dict[str, dict[str, str]]:
    """Two users' ids of every kind: the same name of their own, generated ones, items."""
    found: dict[str, dict[str, str]] = {}
    for user in ("a", "b"):
        for name in ("mine", f"only-{user}"):
            world.turn(name, f"secret of {user}", user=user)
        made = world.call("POST", "/v1/conversations", ITEM, user=user).body["id"]
        kinds = {"name": f"only-{user}", "generated": made}
        for kind, conversation in list(kinds.items()):
            path = f"/v1/conversations/{conversation}/items"
            kinds[f"item of {kind}"] = world.call("GET", path, user=user).body["data"][0]["id"]
        found[user] = kinds
    return found


def requests() -> list[tuple[str, str]]:
    return [(route.method, route.resource) for route in application().routes if "{conversation_id}" in route.resource]


BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/conversations/{conversation_id}"): {"metadata": {}},
    ("POST", "/v1/conversations/{conversation_id}/items"): ITEM,
    ("POST", "/v1/conversations/{conversation_id}/memory"): {"rebuild": True},
    ("POST", "/v1/conversations/{conversation_id}/context"): {"compare": [{"policy": "buffer"}]},
}


# Under a name of one's own there is nothing yet; an append would create it.
OWN_NAMES = {
    ("GET", "/v1/conversations/{conversation_id}/items"),
    ("GET", "/v1/conversations/{conversation_id}/context"),
    ("POST", "/v1/conversations/{conversation_id}/context"),
}
CREATES = ("POST", "/v1/conversations/{conversation_id}/items")


def test_every_route_with_an_id_of_anothers_answers_as_if_there_were_none(asking: World) -> None:
    world = asking
    known = ids(world)
    rows = len(world.rows())
    checked = 0
    for method, resource in requests():
        body = BODIES.get((method, resource))
        for kind in ("generated",) if (method, resource) == CREATES else ("name", "generated"):
            for item in (f"item of {kind}", "item of name"):
                pairs = []
                for conversation, one in (
                    (known["a"][kind], known["a"][item]),
                    ("conv_" + "0" * 32 if kind == "generated" else "nobodys", "msg_" + "0" * 28),
                ):
                    path = resource.format(conversation_id=conversation, item_id=one)
                    answer = world.call(method, path, body, user="b")
                    pairs.append((answer.status, json.dumps(answer.body).replace(f'"{conversation}"', "")))
                assert pairs[0] == pairs[1], (method, resource, kind)
                assert pairs[0][0] == (200 if kind == "name" and (method, resource) in OWN_NAMES else 404)
                checked += 1
    assert checked >= 4 * 7
    # Another's item in a conversation of one's own, as an id and as a cursor.
    for theirs in (known["a"]["item of name"], known["a"]["item of generated"]):
        own = f"/v1/conversations/{known['b']['name']}/items"
        assert world.call("GET", f"{own}/{theirs}", user="b").status == 404
        assert world.call("DELETE", f"{own}/{theirs}", user="b").status == 404
        refused = world.call("GET", own, user="b", query={"after": theirs})
        nobodys = world.call("GET", own, user="b", query={"after": "msg_" + "0" * 28})
        assert (refused.status, refused.body) == (400, nobodys.body)
    for cursor in (known["a"]["name"], known["a"]["generated"], "nobodys"):
        refused = world.call("GET", "/v1/conversations", user="b", query={"after": cursor})
        assert (refused.status, refused.error["param"]) == (400, "after")
    # A turn in another's generated conversation is refused; under another's own name it, or an append, is one's own.
    assert world.turn(known["a"]["generated"], "mine?", user="b").status == 404
    assert len(world.rows()) == rows
    assert world.call("POST", "/v1/conversations/only-a/items", ITEM, user="b").status == 200
    assert world.texts("only-a", user="b") == ["x"]
    assert world.turn("only-a", "mine", user="b").status == 200
    assert "secret of a" not in str(world.model.requests[-1])
    assert world.texts("mine", user="a")[0] == "secret of a"
    assert len(world.texts("only-a", user="a")) == 2


def test_lists_show_ones_own_alone(asking: World) -> None:
    world = asking
    known = ids(world)
    for user in ("a", "b"):
        listed = world.call("GET", "/v1/conversations", user=user).body["data"]
        assert {one["id"] for one in listed} == {"mine", f"only-{user}", known[user]["generated"]}


def test_the_users_of_an_app_are_neither_anothers_nor_persons(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.turn("mine", "secret of a", user="a")
    shop = keyed(world, "app", monkeypatch)
    by_key = keyed(world, "user", monkeypatch)
    shop.turn("mine", "secret of the shop's a", user="a")
    assert world.texts("mine", user="a")[0] == "secret of a"
    assert shop.texts("mine", user="a")[0] == "secret of the shop's a"
    # A key for the person is the person; one for the app's name is not its end user.
    assert by_key.texts("mine", user="a")[0] == "secret of a"
    assert by_key.texts("mine", user=shop.APP) == []
    # Whoever is no app stays who they are, whatever the header says.
    assert by_key.call("GET", "/v1/conversations/mine", user="b", headers={"X-Omoide-User": "a"}).status == 404
    for name in ("", " ", "a\n", "../a"):
        answer = shop.call("GET", "/v1/conversations/mine", user="a", headers={"X-Omoide-User": name})
        assert answer.status in (400, 404), name


@pytest.mark.parametrize("user", USERS)
def test_names_of_any_form_do_not_cross(world: World, user: str) -> None:
    world.turn("c", "secret of a", user="a")
    world.turn("b", "secret of a", user="a")
    event = {"user": user}
    for conversation in ("c", "b"):
        assert claims(world, user, conversation).status == 404, event
    world_turn(world, user, "c", "my own")
    assert "secret" not in str(world.model.requests[-1])
    assert world.texts("c", user="a")[0] == "secret of a"
    assert len(world.texts("c", user="a")) == 2
    # The responses of each are in a partition for each conversation, by its incarnation.
    partitions = [re.sub(r"/responses#[0-9a-f]{16}$", "/responses", pk) for pk in {r["pk"]["S"] for r in world.rows()}]
    assert sorted(partitions) == sorted(["a/c", "a/b", f"{user}/c", "a/responses", "a/responses", f"{user}/responses"])


@pytest.mark.parametrize("user", ["", " a", "a\n", "a\x00b", "x" * 257, "\u202ea"])
def test_names_that_no_key_may_hold_are_refused(world: World, user: str) -> None:
    assert claims(world, user, "c").status == 401


def claims(world: World, user: str, conversation: str) -> Any:
    return _invoke(
        world, "GET", "/v1/conversations/{conversation_id}", user, parameters={"conversation_id": conversation}
    )


def world_turn(world: World, user: str, conversation: str, text: str) -> None:
    body = json.dumps({"model": "m", "conversation": conversation, "input": text})
    answer = _invoke(world, "POST", "/v1/responses", user, body=body)
    assert answer.status == 200, answer.body


def _invoke(
    world: World,
    method: str,
    resource: str,
    user: str,
    *,
    parameters: dict[str, str] | None = None,
    body: str | None = None,
) -> Any:
    """Invoke with claims as they are: no header of the dev server's could carry every name."""
    path = resource.format(**(parameters or {}))
    event = {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters,
        "requestContext": {"authorizer": {"claims": {"sub": user}}, "requestId": "r", "stage": "dev", "path": path},
        "body": body,
        "isBase64Encoded": False,
    }
    return world.invoke("ChatFunction" if method == "POST" else "HistoryFunction", event)
