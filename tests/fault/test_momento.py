"""Momento gone, slow, full, wiped or of another version: turns go on, and when it is back the copies heal."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.api import event_loop
from chat_core.hot.value import unpack
from chat_core.keys import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.momento.faults import Faults
    from tests.fault.conftest import World

HOT_MESSAGES = 8

FAULTS: dict[str, Callable[[Faults], None]] = {
    "gone": lambda faults: faults.fail(),
    "full": lambda faults: faults.exceed_quota(),
    "hanging": lambda faults: faults.hang(),
    "slow": lambda faults: faults.delay(0.6),
    "answers lost": lambda faults: faults.lose_answer(),
    "reads gone": lambda faults: faults.fail("Get"),
    "lists gone": lambda faults: faults.fail("ListConcatenateBack"),
    "lists' answers lost": lambda faults: faults.lose_answer("ListConcatenateBack"),
    "values' writes gone": lambda faults: faults.fail("Set"),
    "deletes gone": lambda faults: faults.fail("Delete"),
}


@pytest.fixture
def patience() -> Mapping[str, str]:
    """None beyond what Momento has in Lambda."""
    return {}


def say(world: World, text: str) -> dict[str, Any]:
    answer = world.turn("talk", text)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def sent(world: World) -> list[str]:
    """What the model was last sent, as texts."""
    return [str(item["content"]) for item in world.model.requests[-1]["input"]]


def assert_healed(world: World) -> None:
    """The copies are what the history is, after this turn or, where this machine was too slow for it, a later one."""
    for again in range(3):
        if is_healed(world):
            return
        say(world, f"again {again}")
    assert is_healed(world)


def is_healed(world: World) -> bool:
    texts = world.texts("talk")
    found = [json.loads(element)["data"]["content"] for element in world.hot_list("talk")]
    state = unpack(world.memory_value("talk") or b"")
    if found != texts[-HOT_MESSAGES:] or state is None:
        return False
    return [message.text for message in state.kept.messages] == texts[-len(state.kept.messages) :]


@pytest.mark.parametrize("name", FAULTS)
def test_turns_go_on_and_the_copies_heal(world: World, name: str) -> None:
    say(world, "one")
    FAULTS[name](world.momento.faults)
    for text in ("two", "three"):
        say(world, text)
        assert sent(world)[0::2] == ["one", "two", "three"][: world.model_calls]
    world.momento.faults.clear()
    time.sleep(0.6 if name == "slow" else 0)  # late writes arrive
    for text in ("four", "five"):
        say(world, text)
    assert sent(world)[0::2] == ["one", "two", "three", "four", "five"]
    assert world.texts("talk")[0::2] == ["one", "two", "three", "four", "five"]
    assert_healed(world)


def test_a_momento_that_hangs_is_asked_thrice_at_most_and_not_waited_for(world: World) -> None:
    """A read of the value and two calls of the response cache; what hangs would never come."""
    say(world, "one")
    world.momento.faults.hang()
    world.momento.meter.reset()
    say(world, "two")
    assert 0 < sum(world.momento.meter.snapshot().calls.values()) <= 3


@pytest.mark.parametrize("when", [1, 2, 3])
def test_a_wipe_between_any_two_turns_changes_nothing_for_the_model(world: World, when: int) -> None:
    for number in range(1, 5):
        say(world, f"message {number}")
        if number == when:
            world.momento.wipe()
    assert sent(world)[0::2] == [f"message {number}" for number in range(1, 5)]
    assert_healed(world)


def test_at_the_cap_an_append_without_an_answer_has_the_list_rewritten(world: World) -> None:
    for number in range(6):
        say(world, f"message {number}")
    world.momento.faults.lose_answer("ListConcatenateBack", times=1)
    say(world, "lost")
    say(world, "after")
    assert_healed(world)
    assert sum(b'"lost"' in element for element in world.hot_list("talk")) == 1


@pytest.mark.parametrize("damage", ["shorter", "longer", "gone"])
def test_a_list_that_another_changed_is_noticed(world: World, damage: str) -> None:
    say(world, "one")
    say(world, "two")
    cache = world.momento.caches.get("omoide")
    key = b"message_store:local/talk"
    with cache.lock:
        elements = cache.elements(key) or ()
        changed = {"shorter": elements[1:], "longer": (*elements, b"{}"), "gone": ()}[damage]
        cache.put(key, changed, 60_000)
    say(world, "three")
    assert_healed(world)


def test_a_value_of_another_version_is_not_believed(world: World) -> None:
    say(world, "one")
    store = world.stores.hot._store
    event_loop.run(store.write_memory(Address("local", "talk"), b"\x7fof the future", timeout=1))
    say(world, "two")
    assert sent(world)[0::2] == ["one", "two"]
    assert_healed(world)


def test_a_cold_start_without_momento(world: World) -> None:
    world.momento.faults.fail()
    say(world, "one")
    world.momento.faults.clear()
    say(world, "two")
    assert sent(world)[0::2] == ["one", "two"]
    assert_healed(world)
