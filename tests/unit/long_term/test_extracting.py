"""The memory function's work on facts."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.deadline import Deadline
from chat_core.errors import UpstreamError
from chat_core.history import Deletion, Unfolded
from chat_core.keys import Address
from chat_core.long_term import Memory
from chat_core.long_term.asking import StructuredModel
from chat_core.long_term.extracting import Extracting
from chat_core.long_term.extractor import Extractor
from chat_core.long_term.facts import resolved
from chat_core.tokens import counter_for
from tests.contract.history_store.builders import HERE, TOKEN, Clock, commit, lease, message
from tests.contract.history_store.builders import Stores as Under
from tests.unit.long_term.test_extractor import answer, fact, text
from tests.unit.long_term.working import Working

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.history import Head
    from chat_core.long_term.facts import Fact
    from chat_core.observability import Metric

pytestmark = pytest.mark.anyio

ON: dict[str, Any] = {"policy": "message_window", "entities": True}
LONG = "and so on " * 220
"""More than 440 tokens: a turn of it has ten of them make a fold due."""


class Provider:
    """Answers what it is told to, and nothing found when it is told nothing."""

    def __init__(self) -> None:
        self.bodies: list[Mapping[str, Any]] = []
        self.script: list[Mapping[str, Any] | BaseException] = []
        self.meanwhile: Callable[[], Any] | None = None

    async def post(self, endpoint: str, body: Mapping[str, Any], *, timeout: float, tell: object = None) -> Any:
        assert endpoint == "responses"
        self.bodies.append(body)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        given = self.script.pop(0) if self.script else answer()
        if isinstance(given, BaseException):
            raise given
        return given


class World:
    def __init__(self, settings: Mapping[str, Any] = ON) -> None:
        self.clock = Clock()
        self.stores = Under.in_memory(self.clock)
        self.provider = Provider()
        self.counted: Counter[str] = Counter()
        model = StructuredModel(self.provider, "gpt-4o")
        counter = counter_for("gpt-4o")
        extractor = Extractor(model, count=counter.text, clock=self.clock)
        extracting = Extracting(
            self.stores.facts, extractor, clock=self.clock, count=self.count, history=self.stores.history
        )
        self.extracting = Working(self.stores, [extracting], settings=settings, clock=self.clock, count=self.count)

    def count(self, metric: Metric, value: float = 1, *, reason: str = "") -> None:
        self.counted[f"{metric.value} {reason}".strip()] += int(value)

    async def talk(self, *texts: str, at: Address = HERE) -> Head:
        for words in texts:
            before = await self.stores.leases.take(at, lease(), create=True)
            turn = commit(message(words), message("I see.", "assistant"), unfolded=Unfolded(2_000, 2))
            head = await self.stores.history.commit(before, turn, token=TOKEN)
        return head

    async def work(self, *, seconds: float = 60) -> bool:
        return await self.extracting.work(deadline=Deadline.after(seconds, clock=lambda: 0))

    async def memory(self) -> Memory:
        head = await self.stores.history.head(HERE)
        return await self.stores.long_term.read(head) or Memory(head.incarnation)

    async def facts(self) -> Sequence[Fact]:
        known = await self.stores.facts.of_user(HERE.user)
        return resolved(known.assertions, known.tombstones)


async def test_a_fold_finds_facts_of_the_oldest_turns_in_one_call() -> None:
    world = World()
    world.provider.script = [answer(fact("Paris"))]
    await world.talk("I live in Paris", *[LONG] * 12)
    assert await world.work()
    (one,) = await world.facts()
    assert one.newest.object == "Paris"
    assert one.newest.conversation == HERE.conversation
    assert one.item_ids[0].startswith("msg_")
    assert len(world.provider.bodies) == 1
    memory = await world.memory()
    assert 0 < memory.facts_up_to < 26
    assert (memory.folds, memory.covers_up_to, memory.indexed_up_to) == (1, 0, 0)


async def test_nothing_is_asked_before_it_is_due_and_nothing_twice() -> None:
    world = World()
    await world.talk("I live in Paris", LONG)
    assert await world.work()
    assert world.provider.bodies == []
    await world.talk(*[LONG] * 12)
    await world.work()
    await world.work()
    assert len(world.provider.bodies) == 1


@pytest.mark.parametrize(
    ("here", "there", "told"),
    [("user", "user", True), ("user", "conversation", False), ("conversation", "user", False), ("user", None, False)],
)
async def test_a_model_is_told_what_is_known_elsewhere_only_where_both_sides_stored_it(
    here: str, there: str | None, told: bool
) -> None:
    world = World()
    world.provider.script = [answer(fact("Paris")), answer()]
    elsewhere = Address(HERE.user, "another-chat")
    await world.talk("I live in Paris", *[LONG] * 12, at=elsewhere)
    await world.extracting.work(at=elsewhere)
    await world.talk("I live in Lyon", *[LONG] * 12)
    for address, scope in ((HERE, here), (elsewhere, there)):
        head = await world.stores.history.head(address)
        settings = {"entities": {"scope": scope}} if scope else {}
        await world.stores.conversations.update(head, metadata=None, memory=settings)
    await world.work()
    assert ("Paris" in str(world.provider.bodies[-1])) is told
    assert "Lyon" in str(world.provider.bodies[-1])


async def test_without_facts_in_the_settings_there_is_no_work() -> None:
    world = World({"policy": "message_window"})
    await world.talk("I live in Paris", *[LONG] * 12)
    assert await world.work()
    assert world.provider.bodies == []


async def test_the_estimate_says_what_is_left() -> None:
    world = World()
    await world.talk("I live in Paris", *[LONG] * 12)
    await world.work()
    head = await world.stores.history.head(HERE)
    assert 0 < head.unfolded.bytes <= 2_000 * 4 + 2_000


async def test_a_wrong_fact_costs_itself_and_is_counted() -> None:
    world = World()
    world.provider.script = [answer(fact("7 dogs"), fact("Paris"))]
    await world.talk("I live in Paris", *[LONG] * 12)
    await world.work()
    assert [one.newest.object for one in await world.facts()] == ["Paris"]
    assert world.counted["FactsRefused not_grounded"] == 1


async def test_an_answer_that_is_none_is_put_off_and_after_three_is_passed_over() -> None:
    world = World()
    world.provider.script = [text("no facts!")] * 3
    await world.talk("I live in Paris", *[LONG] * 12)
    for attempt in range(3):
        done = await world.work()
        memory = await world.memory()
        if attempt < 2:
            assert not done
            assert (memory.facts_up_to, memory.last_error) == (0, "facts_invalid_output")
            head = await world.stores.history.head(HERE)
            assert head.fold_after > world.clock.now
            assert not await world.work()  # not yet: nothing is asked
            world.clock.now = head.fold_after + 1
    assert (await world.memory()).facts_up_to > 0
    assert len(world.provider.bodies) == 3


async def test_a_provider_that_is_down_is_never_passed_over() -> None:
    world = World()
    world.provider.script = [UpstreamError("down")] * 5
    await world.talk("I live in Paris", *[LONG] * 12)
    for _ in range(5):
        assert not await world.work()
        world.clock.now = (await world.stores.history.head(HERE)).fold_after + 1
    assert (await world.memory()).facts_up_to == 0


async def test_a_fold_that_began_before_an_erasure_does_not_write() -> None:
    world = World()
    world.provider.script = [answer(fact("Paris"))]
    head = await world.talk("I live in Paris", *[LONG] * 12)

    async def erase() -> None:
        await world.stores.conversations.delete_items(head, Deletion([1], messages=1))

    world.provider.meanwhile = erase
    assert await world.work()
    assert await world.facts() == ()
    assert len(world.provider.bodies) == 2
    assert "Paris" not in json.dumps(world.provider.bodies[1]["input"])


async def test_two_workers_have_one_effect() -> None:
    world = World()
    world.provider.script = [answer(fact("Paris")), answer(fact("Paris"))]
    await world.talk("I live in Paris", *[LONG] * 12)
    world.provider.meanwhile = world.work
    assert await world.work()
    (one,) = await world.facts()
    assert len(one.item_ids) == 1


async def test_facts_made_again_replace_those_before() -> None:
    world = World()
    world.provider.script = [answer(fact("Paris")), answer(fact("paris"))]
    await world.talk("I live in Paris", *[LONG] * 12)
    await world.work()
    head = await world.stores.history.head(HERE)
    from chat_core.long_term import Change

    await world.stores.long_term.change(head, Change(Memory(head.incarnation, head.folds)))
    await world.work()
    (one,) = await world.facts()
    assert one.newest.object == "paris"


async def test_known_facts_are_shown_with_their_numbers() -> None:
    world = World()
    world.provider.script = [answer(fact("Paris")), answer(fact("Rome", op="supersede", replaces=1))]
    await world.talk("I live in Paris", *[LONG] * 12)
    await world.work()
    await world.talk("I moved to Rome", *[LONG] * 12)
    await world.work()
    assert {one.newest.object: one.status for one in await world.facts()}["Paris"] == "superseded"
    assert "1 user | lives in | Paris" in json.dumps(world.provider.bodies[1]["input"])
