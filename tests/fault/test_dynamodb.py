"""DynamoDB down, silent or throttled: told before the model is paid, and stateless calls go on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.aws import NoAnswer
from tests.openai_schema import assert_valid
from tests.patience import VARIABLES

if TYPE_CHECKING:
    from tests.fault.conftest import World
    from tests.integration.app import Answer

SECONDS = 28.0
"""That a turn has, as API Gateway waits for it."""

STATELESS = {"model": "gpt-4.1-mini", "input": "hello"}


class _Told:
    """The client, with an event for the end of a call that failed."""

    def __init__(self, client: Any, ended: threading.Event) -> None:
        self._client = client
        self._ended = ended

    def call(self, *args: Any, **more: Any) -> Any:
        try:
            return self._client.call(*args, **more)
        except NoAnswer:
            self._ended.set()
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def assert_unavailable(answer: Answer) -> None:
    assert (answer.status, answer.error["code"]) == (503, "store_unavailable")
    assert_valid(answer.body, "ErrorResponse")
    assert int(answer.headers["retry-after-ms"]) > 0
    assert int(answer.headers["retry-after"]) > 0
    assert "x-should-retry" not in answer.headers


def test_down(world: World) -> None:
    assert world.turn("talk", "before").status == 200
    world.gate.close()
    assert_unavailable(world.turn("talk", "while down"))
    assert_unavailable(world.call("GET", "/v1/conversations/talk"))
    assert world.model_calls == 1
    answered = world.call("POST", "/v1/responses", STATELESS)
    assert (answered.status, answered.body["store"]) == (200, False)
    world.gate.open()
    assert world.turn("talk", "after").status == 200
    assert world.texts("talk")[0::2] == ["before", "after"]


def test_silent(world: World) -> None:
    assert world.turn("talk", "before").status == 200
    world.gate.silent = True
    start = time.monotonic()
    assert_unavailable(world.turn("talk", "while silent", seconds=SECONDS))
    assert time.monotonic() - start < SECONDS / 2, "it waits for what will not come"
    assert world.model_calls == 1
    world.gate.close()
    world.gate.open()
    assert world.turn("talk", "after").status == 200


@pytest.mark.parametrize("patience", [{**VARIABLES, "STORE_TIMEOUT_MS": "200"}], ids=["a fifth of a second"])
def test_a_connection_that_does_not_come_is_not_waited_for(
    world: World, patience: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What prepares the write has no more time than the write."""
    ended = threading.Event()
    monkeypatch.setattr(world.wire, "is_ready", lambda: False)
    monkeypatch.setattr(world.wire, "prepare", lambda: ended.wait(60))
    answered = world.call("POST", "/v1/responses", STATELESS)
    assert not ended.is_set()
    ended.set()
    assert (answered.status, answered.body["store"]) == (200, False)
    assert world.rows() == []


def test_what_was_given_up_is_not_done_late(world: World) -> None:
    """A further try, once the table answers, would take a lease that nobody gives back."""
    assert world.turn("talk", "before").status == 200
    ended = threading.Event()
    table = world.stores.table
    table._client = _Told(table._connected(), ended)
    world.gate.silent = True
    assert_unavailable(world.turn("talk", "while silent"))
    assert not ended.is_set()
    world.gate.close()
    world.gate.open()
    assert ended.wait(60)
    assert not any("lease_token" in row for row in world.rows())


def test_throttled_for_a_moment(world: World) -> None:
    world.throttle("UpdateItem", 1)
    world.throttle("TransactWriteItems", 1)
    assert world.turn("talk", "one").status == 200
    assert world.texts("talk")[0::2] == ["one"]
    assert world.model_calls == 1


@pytest.mark.parametrize(("operation", "paid"), [("UpdateItem", 0), ("TransactWriteItems", 1)])
def test_throttled_for_long(world: World, operation: str, paid: int) -> None:
    world.throttle(operation, 3)
    assert_unavailable(world.turn("talk", "one"))
    assert world.model_calls == paid
    assert world.texts("talk") == []
    # What was paid is in the response cache: the retry pays nothing.
    again = world.turn("talk", "one", headers={"x-stainless-retry-count": "1"})
    assert again.status == 200
    assert world.model_calls == 1
    assert world.texts("talk")[0::2] == ["one"]


def test_a_commit_whose_answer_is_lost_is_found(world: World) -> None:
    """The connection is cut when the transaction has been made."""
    cuts = [3]

    def cut(operation: str) -> None:
        if operation == "TransactWriteItems" and cuts[0]:
            cuts[0] -= 1
            raise NoAnswer("the connection is cut")

    world.wire.after.append(cut)
    first = world.turn("talk", "one")
    if first.status != 200:
        first = world.turn("talk", "one", headers={"x-stainless-retry-count": "1"})
    assert first.status == 200
    assert (world.texts("talk")[0::2], world.model_calls) == (["one"], 1)


def test_a_corrupt_item_is_marked_and_the_conversation_goes_on(world: World) -> None:
    world.turn("talk", "one")
    world.turn("talk", "two")
    row = next(row for row in world.rows() if row["sk"]["S"] == "item#000000000001")
    row["body"] = {"B": b"no stream"}
    world.boto.put_item(TableName=world.table, Item=row)
    world.momento.wipe()
    texts = world.texts("talk")
    assert texts[0] == "[this item cannot be read]"
    assert texts[2] == "two"
    answer = world.turn("talk", "three")
    assert answer.status == 200, answer.body
    roles = {item.get("role") for item in world.model.requests[-1]["input"]}
    assert roles <= {"user", "assistant"}
