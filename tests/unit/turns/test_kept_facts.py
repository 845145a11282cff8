"""Facts of a conversation's own stand in its memory value: a turn reads them once for each state, and sees no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.history import Deletion
from chat_core.long_term import Assertion, Change, Memory, resolved
from chat_core.long_term.fact_store import Found
from chat_core.long_term.facts import Evidence
from chat_core.long_term.facts.kept import MOST_CHARACTERS
from chat_core.long_term.facts.records import Moment
from tests.fault.noting_model import NotingModel
from tests.unit.turns.stage import HERE, Stage, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTITIES = {"policy": "message_window", "max_messages": 4, "entities": True}
SUMMARY = {"policy": "summary_window", "entities": True}


class Facts:
    """The store of facts, and how often it was read; what it says expires can be told."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.reads = 0
        self.until: int | None = None

    async def of_conversation(self, head: Any) -> Any:
        self.reads += 1
        return replace(await self._store.of_conversation(head), until=self.until)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture(params=[ENTITIES, SUMMARY], ids=["window", "summary"])
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


class Told:
    """A stage whose model's views are looked at."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.model = stage.world.model
        sources = stage.process.turns._parts.sources
        self.facts = Facts(sources.facts)
        self.now = 1_700_000_000.0
        stage.process.turns._parts = replace(
            stage.process.turns._parts, sources=replace(sources, facts=self.facts, clock=lambda: self.now)
        )

    async def say(self, text: str, **asks: Any) -> str:
        await self.stage.turn(text, **asks)
        return "\n".join(self.model.seen[-1])

    async def know(self, *triples: tuple[str, str, str], last: int = 2) -> None:
        head = await self.stage.head()
        said = tuple(
            Assertion(
                f"fact_{last}{n}", "add", *triple, cardinality="one", evidence=(Evidence(f"msg_{n}", Moment(n, last)),)
            )
            for n, triple in enumerate(triples, 1)
        )
        memory = await self.stage.world.long_term.read(head) or Memory(head.incarnation)
        memory = replace(memory, folds=head.folds).extracted(last)
        known = await self.facts.of_user(HERE.user)
        found = Found(last - 1, last, said, known.forgotten)
        await self.stage.world.long_term.change(head, Change(memory, found=found))


@pytest.fixture
def told(settings: dict[str, Any]) -> Iterator[Told]:
    with staged(settings) as stage:
        stage.world.model = NotingModel()
        stage.process = type(stage.process)(stage.world, settings=settings)
        yield Told(stage)


def test_they_are_read_once_for_each_state(told: Told) -> None:
    async def main() -> None:
        await told.say("one")
        await told.say("two")
        assert told.facts.reads == 0  # nothing was ever found
        await told.know(("user", "name", "渡辺直美"), ("ポチ", "犬種", "柴犬"))
        for _ in range(4):
            assert "user | name | 渡辺直美" in await told.say("hello")
        assert told.facts.reads == 1
        assert "ポチ | 犬種 | 柴犬" in await told.say("ポチは元気")
        await told.know(("user", "name", "Naomi"), last=4)
        shown = await told.say("hello")
        assert "Naomi" in shown
        assert "渡辺直美" not in shown
        await told.say("hello")
        assert told.facts.reads == 2

    told.stage.run(main())


def test_a_value_and_the_store_tell_the_same(told: Told) -> None:
    async def main() -> None:
        await told.say("one")
        await told.know(("user", "likes", "tea"), ("user", "name", "Naomi"), ("Al", "works at", "Acme"))
        await told.say("two")
        for _ in range(2):
            expected = (await told.stage.turn("Al?", memory={"dry_run": True})).answer
            assert await told.say("Al?") == "\n".join(str(item["content"]) for item in expected["input"])
            assert told.facts.reads >= 2
            told.stage.world.memory.wipe()

    told.stage.run(main())


def test_what_is_forgotten_corrected_or_erased_is_out_of_the_next_view(told: Told) -> None:
    async def main() -> None:
        await told.say("one")
        await told.know(("user", "name", "Naomi"), ("user", "likes", "tea"))
        assert "Naomi" in await told.say("two")
        known = await told.facts.of_user(HERE.user)
        name = next(fact for fact in resolved(known.assertions) if fact.newest.object == "Naomi")
        await told.facts.forget(HERE.user, name, Moment(10**9, 0))
        shown = await told.say("three")
        assert "Naomi" not in shown
        assert "tea" in shown
        head = await told.stage.head()
        await told.stage.world.conversations.delete_items(head, Deletion([2], messages=1))
        assert "tea" not in await told.say("four")

    told.stage.run(main())


def test_a_value_with_what_has_expired_is_not_believed(told: Told) -> None:
    async def main() -> None:
        await told.say("one")
        await told.know(("user", "name", "Naomi"))
        told.facts.until = int(told.now) + 60
        for _ in range(3):
            await told.say("two")
        assert told.facts.reads == 1
        told.now += 61
        await told.say("three")
        assert told.facts.reads == 2

    told.stage.run(main())


def test_a_turn_that_shows_none_leaves_them_where_they_are(told: Told) -> None:
    async def main() -> None:
        await told.say("one")
        await told.know(("user", "name", "Naomi"))
        await told.say("two")
        assert "Naomi" not in await told.say("three", memory={"entities": None})
        assert "Naomi" in await told.say("four")
        assert told.facts.reads == 1

    told.stage.run(main())


def test_too_many_are_not_kept(told: Told) -> None:
    async def main() -> None:
        await told.say("one")
        await told.know(*[("user", f"likes {n}", "x" * 150) for n in range(MOST_CHARACTERS // 150)])
        for _ in range(2):
            await told.say("two")
        assert told.facts.reads == 2
        value = await told.stage.value()
        assert value is not None
        assert value.facts is None

    told.stage.run(main())


@pytest.mark.parametrize("settings", [{**ENTITIES, "entities": {"scope": "user"}}], indirect=False)
def test_a_value_holds_nothing_of_other_conversations(told: Told) -> None:
    async def main() -> None:
        await told.say("one")
        await told.know(("user", "name", "Naomi"))
        assert "Naomi" in await told.say("two")
        value = await told.stage.value()
        assert value is not None
        assert value.facts is None

    told.stage.run(main())
