"""Erasure: everything goes, by known keys, whatever happens meanwhile, and the receipt says what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chat_core.api import event_loop
from chat_core.conversations import Erasure
from chat_core.deadline import Deadline
from chat_core.errors import NotFound
from chat_core.history.as_messages import stored_messages
from chat_core.hot.value import unpack
from chat_core.keys import Address
from chat_core.messages.items import from_items
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from chat_core.messages.message import Item
    from tests.fault.conftest import World

KEY = {"idempotency-key": "key-1"}
CALL: Item = {"type": "function_call", "call_id": "c1", "name": "lookup", "arguments": "{}"}
RESULT: Item = {"type": "function_call_output", "call_id": "c1", "output": "4C canary"}


REMAINS: list[dict[str, Any]] = [
    {"store": "momento", "what": "response_cache", "at_most_seconds": 86_400},
    {"store": "momento", "what": "embedding_cache", "at_most_seconds": 86_400},
    {"store": "dynamodb", "what": "point_in_time_recovery", "at_most_seconds": 35 * 86_400},
]
TALK = Address("local", "talk")
FAMILIES = {"response_cache": "llm:", "embedding_cache": "emb:"}


def system(text: str) -> Item:
    return {"role": "system", "content": text}


def user(text: str) -> Item:
    return {"role": "user", "content": text}


def items(world: World, conversation: str) -> list[Item]:
    path = f"/v1/conversations/{conversation}/items"
    data: list[Item] = world.call("GET", path, query={"order": "asc", "limit": "100"}).body["data"]
    return data


def momento_holds(world: World, text: str) -> bool:
    """Whether a conversation's copies hold a text, and not merely its bytes compressed."""
    cache = world.momento.caches.get("omoide")
    with cache.lock:
        found: dict[bytes, Any] = {key: item.value for key, item in cache._items.items()}
    for key, value in found.items():
        if key.startswith(b"message_store:") and any(text.encode() in element for element in value):
            return True
        if key.startswith(b"memory:") and (state := unpack(value)) and text in repr(state):
            return True
    return False


def test_the_receipt_counts_what_went_and_says_what_may_remain(world: World) -> None:
    world.turn("talk", "one", headers=KEY)
    world.turn("talk", "two")
    receipt = world.call("DELETE", "/v1/conversations/talk")
    assert receipt.status == 200
    assert_valid(receipt.body, "DeletedConversationResource")
    assert (receipt.body["id"], receipt.body["deleted"]) == ("talk", True)
    assert receipt.body["omoide"] == {
        "erased": {
            "dynamodb": {"conversations": 1, "items": 4, "idempotency_records": 1, "responses": 2},
            "momento": {"history_lists": 1, "memory_values": 1},
        },
        "may_remain": REMAINS,
    }
    assert world.rows() == []
    assert (world.hot_list("talk"), world.memory_value("talk")) == ([], None)
    assert world.call("DELETE", "/v1/conversations/talk").status == 404


def test_an_erasure_wins_against_a_turn_in_flight(world: World) -> None:
    """The model takes its time; meanwhile the conversation is erased."""
    world.turn("talk", "one")
    erase = world.stores.conversations.erase
    inner = world.turns._parts.replies.respond

    async def respond(*args: Any, **kwargs: Any) -> Any:
        reply = await inner(*args, **kwargs)
        await erase(Address("local", "talk"))
        return reply

    world.turns._parts.replies.respond = respond  # type: ignore[method-assign]
    answer = world.turn("talk", "two")
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert world.rows() == []


def test_what_a_turn_wrote_to_momento_after_an_erasure_it_takes_back(world: World) -> None:
    world.turn("talk", "one")
    hot, conversations = world.stores.hot, world.stores.conversations
    follow = hot._append_and_write

    async def late(*args: Any, **kwargs: Any) -> None:
        await conversations.erase(Address("local", "talk"))
        await hot.forget(Address("local", "talk"))
        await follow(*args, **kwargs)
        assert world.memory_value("talk"), "it has risen for a moment"

    hot._append_and_write = late  # type: ignore[method-assign]
    answer = world.turn("talk", "two")
    assert (answer.status, answer.error["code"]) == (404, "not_found")
    assert (world.hot_list("talk"), world.memory_value("talk"), world.rows()) == ([], None, [])


def test_an_unknown_generated_id_is_not_found_and_not_created(world: World) -> None:
    assert world.turn("conv_" + "0" * 32, "one").status == 404
    assert (world.rows(), world.model_calls) == ([], 0)


def test_all_of_mine_and_nobody_elses(world: World) -> None:
    names = [f"talk-{number}" for number in range(6)]
    for name in names:
        world.turn(name, "mine")
    world.turn("talk-0", "theirs", user="other")
    for query, param in (({}, "all"), ({"all": "false"}, "all"), ({"all": ""}, "all"), ({"all": "True"}, "all")):
        refused = world.call("DELETE", "/v1/conversations", query=query)
        assert (refused.status, refused.error["param"]) == (400, param)
    receipt = world.call("DELETE", "/v1/conversations", query={"all": "true"})
    assert_valid(receipt.body, "DeletedConversationResource")
    assert receipt.body["deleted"] is True
    assert receipt.body["omoide"]["erased"] == {
        "dynamodb": {"conversations": 6, "items": 12, "idempotency_records": 0, "responses": 6},
        "momento": {"history_lists": 6, "memory_values": 6},
    }
    assert world.call("GET", "/v1/conversations").body["data"] == []
    assert world.texts("talk-0", user="other")[0] == "theirs"
    assert all(world.hot_list(name) == [] for name in names)
    assert {row["pk"]["S"].partition("#")[0] for row in world.rows()} == {"other/talk-0", "other/responses"}


def test_all_that_momento_holds_of_an_erased_user_is_what_the_receipt_names(world: World) -> None:
    """Its whole content is looked through, whatever the keys are."""
    for name in ("talk", "more"):
        world.turn(name, "canary words", headers={"idempotency-key": name}, memory={"recall": {"k": 2}})
        world.turn(name, "go on, canary", memory={"policy": "token_window", "max_tokens": 500})
    world.call("POST", "/v1/responses", {"model": "m", "input": "canary alone"})
    world.call("POST", "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "canary"}]})
    world.call("POST", "/v1/embeddings", {"model": "text-embedding-3-small", "input": ["canary one", "canary two"]})
    created = world.call("POST", "/v1/conversations", {"items": [user("canary item")]}).body["id"]
    world.call("DELETE", f"/v1/conversations/{created}/items/{items(world, created)[0]['id']}")
    before = momento_keys(world)
    families = {key.partition(":")[0] for key in before}
    assert families >= {"message_store", "memory", "llm", "emb"}, "there is one of each"
    receipt = world.call("DELETE", "/v1/conversations", query={"all": "true"}).body
    assert receipt["deleted"] is True
    left = momento_keys(world)
    named = {FAMILIES[one["what"]]: one["at_most_seconds"] for one in REMAINS if one["store"] == "momento"}
    for key, seconds in left.items():
        (most,) = [at_most for begin, at_most in named.items() if key.startswith(begin)]
        assert 0 < seconds <= most, key
        assert "local" not in key, "a key does not tell whose it is"
    assert not momento_holds(world, "canary")
    assert world.rows() == []


class Killed(BaseException):
    """The environment ended here."""


@pytest.mark.parametrize("whole", [True, False], ids=["all", "one"])
def test_nothing_is_in_momento_after_an_erasure_that_was_killed_at_any_call(world: World, whole: bool) -> None:
    """The names of what is half erased are known to the end, so that whoever erases everything finds the copies."""
    calls = steps = 0
    while steps == calls:
        steps += 1
        world.turn("talk", "canary", headers={"idempotency-key": f"key-{steps}"})
        assert {key.partition(":")[0] for key in momento_keys(world)} >= {"message_store", "memory"}
        calls = killed_at(world, steps, whole=whole)
        assert world.call("DELETE", "/v1/conversations", query={"all": "true"}).body["deleted"] is True
        assert world.rows() == [], steps
        assert not {"message_store", "memory"} & {key.partition(":")[0] for key in momento_keys(world)}, steps
    assert calls > 5


def killed_at(world: World, step: int, *, whole: bool) -> int:
    """Erase, and end at a call to a store, after it was made; tell at which, or how many there were."""
    stores = world.stores
    erasure = Erasure(stores.history, stores.conversations, stores.hot, stores.facts, stores.responses)
    table, hot = stores.table, stores.hot
    send, forget = table._call, hot.forget
    made = 0

    def counted(call: Any) -> Any:
        async def counting(*args: Any) -> Any:
            nonlocal made
            if made == step:
                raise Killed
            answer = await call(*args)
            made += 1
            if made == step:
                raise Killed
            return answer

        return counting

    table._call, hot.forget = counted(send), counted(forget)  # type: ignore[method-assign]
    try:
        event_loop.run(erasure.everything("local", Deadline.after(60)) if whole else erasure.conversation(TALK))
    except Killed:
        pass
    finally:
        table._call, hot.forget = send, forget  # type: ignore[method-assign]
    return made


def momento_keys(world: World) -> dict[str, float]:
    """Every key in the cache that has not expired, and for how many seconds it stays."""
    cache = world.momento.caches.get("omoide")
    with cache.lock:
        now = cache._clock()
        return {key.decode(): item.expires_at - now for key, item in cache._items.items() if item.expires_at > now}


def test_without_time_for_all_the_receipt_says_that_more_is_left(world: World) -> None:
    world.turn("talk", "one")
    receipt = world.call("DELETE", "/v1/conversations", query={"all": "true"}, seconds=3.0).body
    assert (receipt["deleted"], receipt["omoide"]["erased"]["dynamodb"]["conversations"]) == (False, 0)
    assert world.call("DELETE", "/v1/conversations", query={"all": "true"}).body["deleted"] is True


@pytest.mark.parametrize("which", ["message", "answer", "call"])
def test_an_item_goes_from_everywhere(world: World, which: str) -> None:
    world.turn("talk", "question")
    world.call("POST", "/v1/conversations/talk/items", {"items": [CALL, RESULT, user("canary message")]})
    world.turn("talk", "go on")
    before = items(world, "talk")
    doomed = {"message": before[4], "answer": before[1], "call": before[2]}[which]
    path = f"/v1/conversations/talk/items/{doomed['id']}"
    changed = world.call("DELETE", path)
    assert_valid(changed.body, "ConversationResource")
    assert changed.body["omoide"]["may_remain"] == REMAINS
    left = items(world, "talk")
    assert len(left) == len(before) - (2 if which == "call" else 1)
    counts = changed.body["omoide"]
    assert counts["items"] == len(left)
    text = {"message": "canary message", "call": "4C canary", "answer": "no such text"}[which]
    assert not momento_holds(world, text)
    assert text not in str(changed.body)
    head = event_loop.run(world.stores.history.head(Address("local", "talk")))
    stored = event_loop.run(world.stores.history.items(head, 1, head.seq))
    assert head.messages == len(stored_messages(stored))
    assert len(from_items(left)) <= head.messages
    world.turn("talk", "and now?")
    if which != "answer":
        assert text not in str(world.model.requests[-1])
    assert world.call("DELETE", path).status == 404


def test_a_pinned_system_message_goes_and_the_one_before_holds_again(world: World) -> None:
    conversation = world.call("POST", "/v1/conversations", {"items": [system("be brief"), user("hi")]}).body["id"]
    world.call("POST", f"/v1/conversations/{conversation}/items", {"items": [system("be long"), user("so")]})
    world.turn(conversation, "one")
    assert world.model.requests[-1]["input"][0]["content"] == "be long"
    path = f"/v1/conversations/{conversation}/items"
    second, first = items(world, conversation)[2], items(world, conversation)[0]
    world.call("DELETE", f"{path}/{second['id']}")
    world.turn(conversation, "two")
    assert world.model.requests[-1]["input"][0]["content"] == "be brief"
    assert "be long" not in str(world.model.requests[-1])
    world.call("DELETE", f"{path}/{first['id']}")
    world.turn(conversation, "three")
    assert "be brief" not in str(world.model.requests[-1])
    head = event_loop.run(world.stores.history.head(Address("local", conversation)))
    assert head.system is None


def test_the_title_is_not_a_deleted_items(world: World) -> None:
    world.turn("talk", "first words")
    world.turn("talk", "second words")
    changed = world.call("DELETE", f"/v1/conversations/talk/items/{items(world, 'talk')[0]['id']}")
    assert changed.body["omoide"]["title"] == "second words"


def test_new_memory_settings_have_a_new_window(world: World) -> None:
    for number in range(4):
        world.turn("talk", f"message {number}", memory=None)
    world.call("POST", "/v1/conversations/talk", {"memory": {"max_messages": 3}})
    head = event_loop.run(world.stores.history.head(Address("local", "talk")))
    assert head.anchor is None


def test_an_erasure_that_finds_nothing_takes_left_copies_all_the_same(world: World) -> None:
    world.turn("talk", "one")
    event_loop.run(world.stores.conversations.erase(Address("local", "talk")))  # and killed here
    assert world.hot_list("talk")
    assert world.call("DELETE", "/v1/conversations/talk").status == 404
    assert world.hot_list("talk") == []
    with pytest.raises(NotFound):
        event_loop.run(world.stores.history.head(Address("local", "talk")))
