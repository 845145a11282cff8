"""`Idempotency-Key` over every POST that writes, and the SDK's own retries of a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chat_core.api import event_loop
from chat_core.history.records import IdempotencyKey, Lease
from chat_core.keys import Address

if TYPE_CHECKING:
    from tests.fault.conftest import World
    from tests.integration.app import Answer

ITEM = {"role": "user", "content": "an item"}
KEY = {"idempotency-key": "key-1"}
WRITES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "turn": ("/v1/responses", {"model": "m", "conversation": "talk", "input": "hi"}, {"instructions": "be brief"}),
    "create": ("/v1/conversations", {"metadata": {"a": "b"}}, {"metadata": {"a": "c"}}),
    "create with items": ("/v1/conversations", {"items": [ITEM]}, {"items": [ITEM, ITEM]}),
    "update": ("/v1/conversations/talk", {"metadata": {"a": "b"}}, {"metadata": {"a": "c"}}),
    "update memory": ("/v1/conversations/talk", {"memory": {"max_messages": 4}}, {"memory": {"max_messages": 6}}),
    "add items": ("/v1/conversations/talk/items", {"items": [ITEM]}, {"items": [ITEM, ITEM]}),
}


def post(world: World, path: str, body: dict[str, Any], **headers: str) -> Answer:
    return world.call("POST", path, body, headers={**KEY, **headers})


@pytest.mark.parametrize("name", WRITES)
def test_a_key_is_answered_once(world: World, name: str) -> None:
    path, body, changed = WRITES[name]
    world.turn("talk", "before")
    calls = world.model_calls
    first = post(world, path, body)
    assert first.status == 200, first.body
    assert "idempotent-replayed" not in first.headers
    world.turn("talk", "between")
    rows = len(world.rows())
    again = post(world, path, body)
    assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.body == first.body
    reused = post(world, path, {**body, **changed})
    assert (reused.status, reused.error["code"]) == (422, "idempotency_key_reused")
    assert len(world.rows()) == rows
    assert world.model_calls == calls + 1 + (name == "turn")


@pytest.mark.parametrize("name", WRITES)
def test_a_key_is_its_users_and_its_routes_own(world: World, name: str) -> None:
    path, body, _ = WRITES[name]
    for user in ("local", "other"):
        world.turn("talk", "before", user=user)
        answer = world.call("POST", path, body, user=user, headers=KEY)
        assert (answer.status, "idempotent-replayed" in answer.headers) == (200, False)


def test_a_key_that_names_another_conversation_is_reused(world: World) -> None:
    world.turn("talk", "before")
    world.turn("walk", "before")
    assert post(world, "/v1/conversations/talk/items", {"items": [ITEM]}).status == 200
    assert post(world, "/v1/conversations/walk/items", {"items": [ITEM]}).status == 422


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "tab\tbed", "ключ", "line\nbreak"])
@pytest.mark.parametrize("name", WRITES)
def test_a_bad_key_names_the_header(world: World, name: str, key: str) -> None:
    path, body, _ = WRITES[name]
    answer = world.call("POST", path, body, headers={"idempotency-key": key})
    assert (answer.status, answer.error["param"]) == (400, "Idempotency-Key")
    assert world.rows() == []


@pytest.mark.parametrize("name", ["turn", "add items"])
def test_a_key_whose_request_runs_is_told_so(world: World, name: str) -> None:
    path, body, _ = WRITES[name]
    world.turn("talk", "before")
    route = "POST /v1/responses" if name == "turn" else "POST /v1/conversations/{conversation_id}/items"
    lease = Lease("other", 2e9, IdempotencyKey("local", route, KEY["idempotency-key"]).digest)
    event_loop.run(world.stores.leases.take(Address("local", "talk"), lease, create=False))
    answer = post(world, path, body)
    assert (answer.status, answer.error["code"]) == (409, "idempotency_in_progress")
    assert int(answer.headers["retry-after-ms"]) > 0
    other = world.call("POST", path, body)
    assert (other.status, other.error["code"]) == (409, "conversation_locked")
    waits = {world.call("POST", path, body).headers["retry-after-ms"] for _ in range(2)}
    assert len(waits) == 2, "a constant wait brings all waiters back at once"


def test_the_sdks_own_retry_is_answered_from_the_record(world: World) -> None:
    first = world.turn("talk", "one")
    again = world.turn("talk", "one", headers={"x-stainless-retry-count": "1"})
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert world.model_calls == 1
    # A question asked twice is no retry.
    assert "idempotent-replayed" not in world.turn("talk", "one").headers
    assert world.texts("talk")[0::2] == ["one", "one"]


def test_an_erased_conversations_key_is_free(world: World) -> None:
    path, body, _ = WRITES["turn"]
    post(world, path, body)
    world.call("DELETE", "/v1/conversations/talk")
    again = post(world, path, body)
    assert (again.status, "idempotent-replayed" in again.headers) == (200, False)
    assert len(world.texts("talk")) == 2


def test_a_key_is_recorded_with_large_items(world: World) -> None:
    item = {"role": "user", "content": "あ" * 200_000}
    body = {"items": [item]}
    first = post(world, "/v1/conversations", body)
    again = post(world, "/v1/conversations", body)
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
