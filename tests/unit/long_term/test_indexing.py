"""The memory function's work on the index."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.deadline import Deadline
from chat_core.errors import UpstreamError
from chat_core.history import Deletion, Unfolded
from chat_core.long_term import Change, Memory
from chat_core.long_term.embedder import Embedder
from chat_core.long_term.index import Indexed
from chat_core.long_term.indexing import Indexing
from chat_core.long_term.recall import Query, QueryVector, scale_of, signs, weighted
from tests.contract.history_store.builders import HERE, TOKEN, Clock, commit, lease, message
from tests.contract.history_store.builders import Stores as Under
from tests.unit.long_term.working import Working

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.history import Head
    from chat_core.observability import Metric

pytestmark = pytest.mark.anyio

MODEL = "text-embedding-3-small"
ON: dict[str, Any] = {"policy": "message_window", "recall": True}


class Provider:
    """Embeds a text by a direction of its own."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.down = False
        self.seconds = 0.0

    async def post(self, endpoint: str, body: Mapping[str, Any], *, timeout: float, tell: object = None) -> Any:
        assert endpoint == "embeddings"
        self.asked.append(body["input"])
        if self.down:
            raise UpstreamError("The provider is down.")
        data = [{"index": n, "embedding": direction(text)} for n, text in enumerate(body["input"])]
        return {"object": "list", "data": data[::-1], "model": body["model"], "usage": {}}


def direction(text: str) -> list[float]:
    drawn = random.Random(text)
    return [drawn.gauss(0, 1) for _ in range(512)]


class World:
    def __init__(self, settings: Mapping[str, Any] = ON, model: str = MODEL) -> None:
        self.clock = Clock()
        self.monotonic = 0.0
        self.stores = Under.in_memory(self.clock)
        self.provider = Provider()
        self.counted: Counter[str] = Counter()
        self.settings = settings
        self.use(model)

    def use(self, model: str) -> None:
        stores = self.stores
        embedder = Embedder(self.provider, model)
        indexing = Indexing(stores.history, stores.index, embedder, tokens=len, clock=self.clock, count=self.count)
        self.indexing = Working(stores, [indexing], settings=self.settings, clock=self.clock, count=self.count)

    def count(self, metric: Metric, value: float = 1, *, reason: str = "") -> None:
        self.counted[f"{metric.value} {reason}"] += int(value)

    async def talk(self, *texts: str) -> Head:
        for text in texts:
            before = await self.stores.leases.take(HERE, lease(), create=True)
            turn = commit(message(text), message("I see.", "assistant"), unfolded=Unfolded(100, 2))
            head = await self.stores.history.commit(before, turn, token=TOKEN)
        return head

    async def work(self, *, seconds: float = 60) -> bool:
        return await self.indexing.work(deadline=Deadline.after(seconds, clock=lambda: self.monotonic))

    async def state(self) -> tuple[int, int, int]:
        """Tell the turns that are indexed, up to where, and where the pointer stands."""
        head = await self.stores.history.head(HERE)
        stats = await self.stores.index.stats(Indexed.of(head))
        memory = await self.stores.long_term.read(head) or Memory(head.incarnation)
        return stats.turns, stats.up_to, memory.indexed_up_to

    async def nearest(self, text: str, *, model: str = MODEL, fresh_from: float = 0) -> list[int]:
        head = await self.stores.history.head(HERE)
        vector = QueryVector(model, 512, signs(direction(text)), fresh_from)
        scale = scale_of(MODEL)
        assert scale is not None
        query = Query(weighted("zzz"), vector, scale)
        found = await self.stores.index.search(Indexed.of(head), query, limit=1)
        return [one.seq for one in found.candidates if one.cos is not None]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_every_turn_but_the_newest_is_indexed_with_its_vector(world: World) -> None:
    await world.talk("My dog eats fish.", "It rains.", "Hello?")
    assert await world.work()
    assert await world.state() == (2, 4, 4)
    assert world.provider.asked == [["My dog eats fish.\nI see.", "It rains.\nI see."]]
    assert await world.nearest("It rains.\nI see.") == [4]
    head = await world.stores.history.head(HERE)
    assert (head.folds, head.unfolded) == (1, Unfolded(0, 0))


async def test_what_is_indexed_is_not_indexed_again(world: World) -> None:
    await world.talk("My dog eats fish.", "It rains.")
    await world.work()
    await world.work()
    assert (await world.stores.history.head(HERE)).folds == 1
    await world.talk("Hello?")
    await world.work()
    assert await world.state() == (2, 4, 4)
    assert [len(texts) for texts in world.provider.asked] == [1, 1]


async def test_a_conversation_without_recall_has_no_index() -> None:
    world = World({"policy": "message_window", "recall": False})
    await world.talk("My dog eats fish.", "It rains.")
    assert await world.work()
    assert await world.state() == (0, 0, 0)
    assert world.provider.asked == []


async def test_the_summary_tells_what_is_left_where_there_is_one() -> None:
    world = World({"policy": "summary", "recall": True})
    await world.talk("My dog eats fish.", "It rains.")
    await world.work()
    assert (await world.stores.history.head(HERE)).unfolded.messages == 4


async def test_a_provider_that_is_down_costs_the_vectors_until_a_later_fold(world: World) -> None:
    await world.talk("My dog eats fish.", "It rains.")
    world.provider.down = True
    assert await world.work()
    assert await world.state() == (1, 2, 2)
    assert await world.nearest("My dog eats fish.\nI see.") == []
    assert world.counted["FoldsFailed embeddings_upstream_error"] == 1
    world.provider.down = False
    assert await world.work()
    assert await world.nearest("My dog eats fish.\nI see.") == [2]
    assert await world.state() == (1, 2, 2)
    # Environments that have read the index of the state before must read it again.
    assert (await world.stores.history.head(HERE)).folds == 2


async def test_a_model_that_is_not_known_is_not_asked() -> None:
    world = World(model="somebody-elses-model")
    await world.talk("My dog eats fish.", "It rains.")
    assert await world.work()
    assert await world.state() == (1, 2, 2)
    assert world.provider.asked == []


async def test_vectors_of_another_model_and_old_ones_are_made_anew(world: World) -> None:
    await world.talk("My dog eats fish.", "It rains.")
    await world.work()
    world.use("text-embedding-3-large")
    await world.work()
    assert await world.nearest("My dog eats fish.\nI see.") == []
    assert await world.nearest("My dog eats fish.\nI see.", model="text-embedding-3-large") == [2]
    await world.work()
    assert len(world.provider.asked) == 2
    world.clock.now += 31 * 86_400
    lately: dict[str, Any] = {"model": "text-embedding-3-large", "fresh_from": world.clock.now - 86_400}
    assert await world.nearest("My dog eats fish.\nI see.", **lately) == []
    await world.work()
    assert len(world.provider.asked) == 3
    assert await world.nearest("My dog eats fish.\nI see.", **lately) == [2]


async def test_an_index_that_is_made_again_holds_nothing_twice(world: World) -> None:
    await world.talk("My dog eats fish.", "It rains.", "Hello?")
    await world.work()
    head = await world.talk("Really?")
    memory = await world.stores.long_term.read(head)
    assert memory is not None
    await world.stores.long_term.change(head, Change(replace(memory.rebuilt(), folds=head.folds)))
    assert await world.work()
    assert await world.state() == (3, 6, 6)


async def test_what_was_forgotten_is_not_indexed(world: World) -> None:
    head = await world.talk("My dog eats fish.", "It rains.", "Hello?")
    await world.stores.long_term.change(head, Change(Memory(head.incarnation, forgotten_up_to=2)))
    await world.work()
    assert await world.state() == (1, 4, 4)


async def test_an_erased_item_is_not_indexed_and_its_turn_is_what_is_left(world: World) -> None:
    head = await world.talk("My dog eats fish.", "It rains.", "Hello?")
    await world.stores.conversations.delete_items(head, Deletion([1, 3, 4], messages=3))
    await world.work()
    assert world.provider.asked == [["I see."]]
    assert await world.state() == (1, 2, 2)


async def test_without_time_nothing_new_is_begun(world: World) -> None:
    await world.talk("My dog eats fish.", "It rains.")
    assert not await world.work(seconds=6)
    assert await world.state() == (0, 0, 0)
    assert world.provider.asked == []


async def test_turns_expire_with_the_setting() -> None:
    world = World({"policy": "message_window", "recall": {"expires_after": 3_600}})
    await world.talk("My dog eats fish.", "It rains.")
    await world.work()
    assert (await world.state())[0] == 1
    world.clock.now += 3_700
    assert (await world.state())[0] == 0
