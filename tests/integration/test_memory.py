"""Long-term memory through the real handlers: made behind the answer, shown, forgotten, erased."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from chat_core.errors import StoreUnavailable
from tests.integration.app import Context

if TYPE_CHECKING:
    import pytest

    from chat_core.deadline import Deadline
    from chat_core.keys import Address
    from tests.integration.app import App

SETTINGS = {"policy": "summary_window", "trigger_messages": 6, "keep": 4}


def record(conversation: str, user: str = "local") -> dict[str, Any]:
    keys = {"pk": {"S": f"{user}/{conversation}"}, "sk": {"S": "due"}}
    return {
        "eventID": "1",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": keys, "SequenceNumber": "100", "StreamViewType": "KEYS_ONLY"},
    }


def deliver(conversation: str, *, times: int = 1) -> Any:
    from memory.handler import lambda_handler

    return lambda_handler({"Records": [record(conversation)] * times}, Context(60.0))


def conversation_of(app: App, turns: int, text: str = "私の猫の名前はタマです。") -> str:
    created = app.call("POST", "/v1/conversations", {"memory": SETTINGS})
    name: str = created.body["id"]
    for number in range(turns):
        assert app.turn(name, f"{text} {number}").status == 200
    return name


def memory_of(app: App, conversation: str, **more: Any) -> Any:
    return app.call("GET", f"/v1/conversations/{conversation}/memory", **more)


def test_a_summary_is_made_behind_the_answer_and_opens_the_next_view(app: App) -> None:
    name = conversation_of(app, 3)
    assert memory_of(app, name).body["status"] == "none"
    assert app.turn(name, "昨日は京都に行きました。").status == 200
    assert memory_of(app, name).body["status"] == "pending"
    assert deliver(name, times=3) == {"batchItemFailures": []}
    told = memory_of(app, name).body
    assert told["status"] == "current"
    assert "タマ" in told["summary"]["text"]
    assert told["summary"]["language"] == "ja"
    items = app.call("GET", f"/v1/conversations/{name}/items", query={"order": "asc"}).body["data"]
    assert told["covers_up_to"] == items[3]["id"]
    answer = app.turn(name, "こんにちは")
    assert answer.headers["x-cache"] == "BYPASS"
    assert "personal-memory" in answer.headers["cache-status"]
    report = answer.body["omoide"]["memory"]
    assert report["tokens"]["notes"] > 0
    context = app.call("GET", f"/v1/conversations/{name}/context").body
    assert "タマ" in json.dumps(context["input"][0], ensure_ascii=False)
    assert context["input"][0]["role"] == "user"
    assert {one["reason"] for one in context["left_out"]} == {"summarised"}


def test_a_wiped_cache_changes_no_view(app: App) -> None:
    kept, wiped = (conversation_of(app, 0) for _ in range(2))
    for number in range(9):
        reports = []
        for name in (kept, wiped):
            if name == wiped:
                app.momento.wipe()
            answer = app.turn(name, f"私の猫の名前はタマです。 {number}")
            reports.append((answer.body["omoide"]["memory"], answer.body["usage"]["input_tokens"]))
            deliver(name)
        assert reports[0] == reports[1]
    assert memory_of(app, kept).body["summary"]["text"] == memory_of(app, wiped).body["summary"]["text"]


def test_forgotten_is_not_read_again_until_it_is_asked_for(app: App) -> None:
    name = conversation_of(app, 4)
    deliver(name)
    gone = app.call("DELETE", f"/v1/conversations/{name}/memory")
    assert gone.body == {"id": name, "object": "conversation.memory.deleted", "deleted": True}
    told = memory_of(app, name).body
    assert (told["status"], told["summary"], told["covers_up_to"]) == ("none", None, None)
    for number in range(4):
        app.turn(name, f"新しい話 {number}")
    deliver(name)
    told = memory_of(app, name).body
    assert told["status"] == "current"
    assert "タマ" not in told["summary"]["text"]
    again = app.call("POST", f"/v1/conversations/{name}/memory", {"rebuild": True}).body
    assert (again["status"], again["summary"]) == ("pending", None)
    deliver(name)
    assert "タマ" in memory_of(app, name).body["summary"]["text"]


def test_an_erased_item_is_in_no_view_from_then_on(app: App) -> None:
    name = conversation_of(app, 4)
    deliver(name)
    items = app.call("GET", f"/v1/conversations/{name}/items", query={"order": "asc"}).body["data"]
    assert app.call("DELETE", f"/v1/conversations/{name}/items/{items[0]['id']}").status == 200
    told = memory_of(app, name).body
    assert (told["status"], told["summary"]) == ("stale", None)
    deliver(name)
    assert memory_of(app, name).body["status"] in ("current", "none")


def test_another_users_memory_is_not_found(app: App) -> None:
    name = conversation_of(app, 1)
    unknown = memory_of(app, "conv_" + "0" * 32)
    for method, body in (("GET", None), ("POST", {"rebuild": True}), ("DELETE", None)):
        answer = app.call(method, f"/v1/conversations/{name}/memory", body, user="another")
        assert (answer.status, answer.body) == (404, unknown.body)


def test_only_a_rebuild_may_be_asked_for(app: App) -> None:
    name = conversation_of(app, 1)
    for body, param in (({}, "rebuild"), ({"rebuild": False}, "rebuild"), ({"rebuild": True, "x": 1}, "x")):
        answer = app.call("POST", f"/v1/conversations/{name}/memory", body)
        assert (answer.status, answer.error["param"]) == (400, param)


def test_what_the_stream_missed_the_schedule_starts(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from memory import handler

    name = conversation_of(app, 4)
    monkeypatch.setattr(handler, "MISSED_SECONDS", -60)
    assert handler.lambda_handler({"source": "aws.events"}, Context(60.0)) == {}
    assert memory_of(app, name).body["status"] == "current"


def test_a_summary_in_another_language_is_refused_and_told_until_the_next_try(app: App) -> None:
    from local.model import faults

    name = conversation_of(app, 4)
    app.model.script += [faults.foreign_summary(), faults.foreign_summary()]
    deliver(name)
    told = memory_of(app, name).body
    assert (told["status"], told["last_error"], told["summary"]) == ("failed", "wrong_language", None)
    assert app.turn(name, "まだ話せますか。").status == 200
    time.sleep(1.1)  # the first of the waits between tries
    deliver(name)
    told = memory_of(app, name).body
    assert (told["status"], told["last_error"]) == ("current", None)


def test_only_a_fault_of_our_own_stores_goes_back_to_the_stream(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    from memory import handler

    fine, broken = conversation_of(app, 4), conversation_of(app, 4)
    work = handler.parts().worker.work

    async def fail(address: Address, deadline: Deadline, **kind: Any) -> Any:
        if address.conversation == broken:
            raise StoreUnavailable("words of the conversation")
        return await work(address, deadline, **kind)

    monkeypatch.setattr(handler.parts().worker, "work", fail)
    records = [record(fine), {**record(broken), "dynamodb": {**record(broken)["dynamodb"], "SequenceNumber": "200"}}]
    told = handler.lambda_handler({"Records": records}, Context(60.0))
    assert told == {"batchItemFailures": [{"itemIdentifier": "200"}]}
    assert memory_of(app, fine).body["status"] == "current"
    monkeypatch.undo()
    assert deliver(broken) == {"batchItemFailures": []}
    assert memory_of(app, broken).body["status"] == "current"
