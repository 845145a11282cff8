"""A conversation that others are joined with is folded whole when it has come to rest."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from chat_core.deadline import Deadline
from chat_core.errors import UpstreamError
from chat_core.history import Head
from chat_core.history.records import LastTurn
from chat_core.keys import Address
from chat_core.long_term.due import QUIET_SECONDS, quiet_from, quiet_from_change
from chat_core.memory import parse_add_ons
from tests.unit.long_term.test_one_fold import World

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


JOINED: dict[str, Any] = {"policy": "message_window", "entities": {"scope": "user"}, "recall": {"scope": "user"}}
LONG = "and so on " * 200


async def rest(world: World) -> list[str]:
    """Have the schedule look."""
    waiting = await world.under.long_term.waiting(before=world.clock.now - 299, limit=9)
    return [await world.working.worker.work(one.address, Deadline.after(60), kind=one.kind) for one in waiting]


async def test_a_conversation_that_others_see_is_folded_whole_when_it_has_come_to_rest() -> None:
    world = World(JOINED)
    await world.talk("I live in Paris", LONG)
    assert await rest(world) == []
    world.clock.now += 1_000
    await world.talk("And so?")
    world.clock.now += 900
    assert await rest(world) == ["put_off"]  # it goes on
    assert await rest(world) == []
    world.clock.now += QUIET_SECONDS
    assert await rest(world) == ["folded"]
    memory = await world.memory()
    assert (memory.facts_up_to, memory.indexed_up_to) == (6, 6)
    assert Counter(world.provider.asked) == {"memory_facts": 1, "embeddings": 1}
    world.clock.now += 10 * QUIET_SECONDS
    assert await rest(world) == []  # until there is a turn again
    await world.talk("hm", LONG)
    world.clock.now += QUIET_SECONDS
    assert await rest(world) == ["folded"]
    assert (await world.memory()).indexed_up_to == 10


async def test_settings_that_join_others_in_the_midst_of_what_is_said_have_the_rest_waited_for() -> None:
    world = World({**JOINED, "entities": True, "recall": True})
    head = await world.talk("I live in Paris", LONG)
    stored = {"entities": {"scope": "user"}, "recall": {"scope": "user"}}
    before, after = parse_add_ons(world.settings), parse_add_ons(stored)
    quiet = quiet_from_change(head, before, after, world.clock.now)
    assert quiet_from_change(head, after, after, world.clock.now) is None
    await world.under.conversations.update(head, metadata=None, memory=stored, quiet_from=quiet)
    world.clock.now += QUIET_SECONDS
    assert await rest(world) == ["folded"]
    assert (await world.memory()).facts_up_to == 4


async def test_a_rest_after_little_is_no_reason_for_a_fold() -> None:
    world = World(JOINED)
    await world.talk("Hello", "Bye")
    world.clock.now += QUIET_SECONDS
    assert await rest(world) == ["nothing"]
    assert await rest(world) == []
    assert world.provider.asked == []


async def test_a_conversation_of_its_own_waits_for_no_rest() -> None:
    world = World({**JOINED, "entities": True, "recall": True})
    await world.talk("I live in Paris", LONG)
    world.clock.now += 2 * QUIET_SECONDS
    assert await rest(world) == []


async def test_what_failed_in_a_rest_is_tried_again() -> None:
    world = World(JOINED)
    world.provider.script = {"memory_facts": [UpstreamError("down")]}
    await world.talk("I live in Paris", LONG)
    world.clock.now += QUIET_SECONDS
    assert await rest(world) == ["failed"]
    assert await rest(world) == ["put_off"]
    world.clock.now += 5
    assert await rest(world) == ["folded"]
    assert json.dumps(world.provider.asked).count("embeddings") == 1
    assert await world.facts() == ["Paris"]


def test_the_first_turn_of_a_fork_begins_to_wait_though_its_items_are_new() -> None:
    joined, now = parse_add_ons(JOINED), 1_000.0
    fork = Head(Address("user", "fork"), "a" * 16, seq=4, updated_at=now - 60)
    assert quiet_from(fork, joined, now) == now + QUIET_SECONDS - 300
    followed = replace(fork, last=LastTurn("", now - 60, 5, 6, 1))
    assert quiet_from(followed, joined, now) is None
    assert quiet_from(followed, joined, now + QUIET_SECONDS) is not None
