"""Pages of the history: bounded by count and bytes, with cursors that survive what happens between them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.api import event_loop
from chat_core.cache import Reply
from chat_core.keys import parse_response_id

if TYPE_CHECKING:
    from tests.fault.conftest import World
    from tests.integration.app import Answer

LAMBDA_ANSWER_BYTES = 6 * 1024 * 1024


def item(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def add(world: World, *texts: str) -> list[str]:
    answer = world.call("POST", "/v1/conversations/talk/items", {"items": [item(text) for text in texts]})
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.body["data"]]


def test_a_page_fits_lambdas_answer_whatever_the_text(world: World) -> None:
    world.turn("talk", "begin")
    for _ in range(3):
        add(world, *['"' * 600_000 for _ in range(2)])
    whole: list[str] = []
    query = {"limit": "100", "order": "asc"}
    pages = 0
    while True:
        page = world.call("GET", "/v1/conversations/talk/items", query=query).body
        assert len(json.dumps(json.dumps(page, ensure_ascii=False), ensure_ascii=False).encode()) < LAMBDA_ANSWER_BYTES
        whole += [one["id"] for one in page["data"]]
        pages += 1
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    assert pages > 1
    assert len(whole) == len(set(whole)) == 8


def test_cursors_survive_what_is_added_and_deleted_between(world: World) -> None:
    world.turn("talk", "begin")
    ids = add(world, *(f"item {number}" for number in range(8)))
    first = world.call("GET", "/v1/conversations/talk/items", query={"limit": "3"}).body
    assert [one["id"] for one in first["data"]] == ids[:-4:-1]
    add(world, "newer")
    world.call("DELETE", f"/v1/conversations/talk/items/{first['last_id']}")
    query = {"limit": "3", "after": first["last_id"]}
    second = world.call("GET", "/v1/conversations/talk/items", query=query).body
    assert [one["id"] for one in second["data"]] == ids[4:1:-1]


def test_a_cursor_of_an_erased_conversation_of_the_name_is_stale(world: World) -> None:
    world.turn("talk", "begin")
    cursor = world.call("GET", "/v1/conversations/talk/items").body["last_id"]
    world.call("DELETE", "/v1/conversations/talk")
    world.turn("talk", "begin")
    answer = world.call("GET", "/v1/conversations/talk/items", query={"after": cursor})
    assert (answer.status, answer.error["param"]) == (400, "after")


def test_a_page_costs_the_same_at_any_depth(world: World) -> None:
    world.turn("talk", "begin")
    ids: list[str] = []
    for _ in range(12):
        ids += add(world, *("x" * 40 for _ in range(20)))
    calls: list[str] = []
    world.wire.after.append(calls.append)
    costs = []
    for after in (ids[-1], ids[120], ids[30]):
        calls.clear()
        query = {"limit": "20", "after": after}
        assert len(world.call("GET", "/v1/conversations/talk/items", query=query).body["data"]) == 20
        costs.append(len(calls))
    assert costs == [2, 2, 2]
    calls.clear()
    assert world.call("GET", "/v1/conversations").status == 200
    assert [call.rpartition(".")[2] for call in calls] == ["Query"]


def test_what_an_earlier_version_let_in_is_read_mended_and_the_conversation_goes_on(world: World) -> None:
    """Before replies were checked, half a surrogate pair in one was committed, and nobody could read it again."""
    cut = {"type": "output_text", "text": "cut \ud83d", "annotations": [], "logprobs": [], "number": float("nan")}
    message = {"type": "message", "role": "assistant", "status": "completed", "content": [cut]}
    response = {"id": "resp_1", "object": "response", "status": "completed", "output": [message]}

    async def respond(*_: object, **__: object) -> Reply:
        return Reply(response, "MISS", "omoide; fwd=uri-miss")

    replies: Any = world.turns._parts.replies
    replies.respond = respond
    assert world.turn("talk", "one").status >= 500, "the earlier version's answer"
    del replies.respond
    for _ in range(2):
        items = world.call("GET", "/v1/conversations/talk/items", query={"order": "asc"})
        assert items.status == 200
        part = items.body["data"][1]["content"][0]
        assert (part["text"], part["number"]) == ("cut \ufffd", None)
        assert world.call("GET", "/v1/conversations/talk/context").status == 200
        assert world.turn("talk", "go on").status == 200
        world.momento.wipe()


@pytest.mark.parametrize(("characters", "told"), [(100_000, True), (1_500_000, False)])
def test_an_answer_that_fits_once_is_replayed_whatever_its_events_take(
    world: World, characters: int, *, told: bool
) -> None:
    """Its text stands in five of them: they are left out where there is no room, and the last one tells all."""
    answer = world.call("POST", "/v1/responses", {"model": "m", "input": "hello"}).body
    parsed = parse_response_id(answer["id"])
    assert parsed is not None
    stored = event_loop.run(world.stores.responses.read("local", *parsed))
    assert stored is not None
    *inputs, message = stored.items
    long = {**message, "content": [{**message["content"][0], "text": '"é' * (characters // 2)}]}
    event_loop.run(world.stores.responses.put(replace(stored, items=(*inputs, long))))
    path = f"/v1/responses/{answer['id']}"
    replay = world.call("GET", path, query={"stream": "true"})
    assert replay.status == 200
    assert len(json.dumps(replay.body, ensure_ascii=False).encode()) < LAMBDA_ANSWER_BYTES
    found = events_of(replay)
    assert found[-1]["response"] == world.call("GET", path).body
    assert found[-1]["response"]["output"][0]["content"][0]["text"] == '"é' * (characters // 2)
    kinds = [event["type"] for event in found]
    assert (kinds[0], kinds[1], kinds[-1]) == ("response.created", "response.in_progress", "response.completed")
    assert ("response.output_text.delta" in kinds) is told
    later = world.call("GET", path, query={"stream": "true", "starting_after": "1"})
    assert events_of(later) == found[2:]


def events_of(replay: Answer) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in replay.body.split("\n") if line.startswith("data: ")]
