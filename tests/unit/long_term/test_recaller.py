"""Recall in a turn: what the input brings up of what the view does not show."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.cache import CacheAccess
from chat_core.errors import StoreUnavailable, UpstreamError
from chat_core.history import Deletion
from chat_core.keys import Address
from chat_core.long_term.embedder import Embedder
from chat_core.long_term.index import Indexed
from chat_core.long_term.indexing import Indexing
from chat_core.long_term.query_vectors import QueryVectors
from chat_core.long_term.question import Question, Shown
from chat_core.long_term.recaller import Recalled, Recaller, RecallStores
from chat_core.memory import RecallSettings
from chat_core.messages import Message
from tests.contract.history_store.builders import CONVERSATION, HERE, TOKEN, USER, Clock, commit, lease, message
from tests.contract.history_store.builders import Stores as Under
from tests.fakes.momento import InMemoryResponseCache
from tests.unit.long_term.working import Working

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.history import Head
    from chat_core.observability import Metric

pytestmark = pytest.mark.anyio

MODEL = "text-embedding-3-small"
ON: dict[str, Any] = {"policy": "message_window", "recall": True}
OPEN: dict[str, Any] = {"policy": "message_window", "recall": {"scope": "user"}}
TALK = (
    "My dog Pochi eats salmon and rice.",
    "The train to Lisbon was late again.",
    "My sister plays the cello in an orchestra.",
    "I burned the pancakes this morning.",
)


class Provider:
    """Embeds a text by the words in it, after as long as it is told to."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.seconds = 0.0
        self.error: Exception | None = None

    async def post(self, endpoint: str, body: Mapping[str, Any], *, timeout: float, tell: object = None) -> Any:
        self.asked.append(body["input"])
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return {"data": [{"index": n, "embedding": direction(text)} for n, text in enumerate(body["input"])]}


def direction(text: str) -> list[float]:
    """Point where the words of a text point; a puppy is a dog."""
    summed = [0.0] * 512
    for word in text.lower().replace("puppy", "dog").replace("?", "").replace(".", "").split():
        drawn = random.Random(word)
        summed = [number + drawn.gauss(0, 1) for number in summed]
    return summed


class World:
    def __init__(self, default: Mapping[str, Any] = ON) -> None:
        self.clock = Clock()
        self.stores = Under.in_memory(self.clock)
        self.default = default
        self.provider = Provider()
        self.cache = InMemoryResponseCache(self.clock)
        self.use(MODEL)

    def use(self, model: str) -> None:
        """Have an environment that embeds with a model."""
        embedder, default = Embedder(self.provider, model), self.default
        self.vectors = QueryVectors(embedder, CacheAccess(self.cache, _count), lambda user, text: f"{user}:{text}")
        stores = self.stores
        indexing = Indexing(stores.history, stores.index, embedder, tokens=_tokens, clock=self.clock, count=_count)
        self.indexing = Working(stores, [indexing], settings=default, clock=self.clock, count=_count)
        reading = RecallStores(stores.history, stores.conversations, stores.index)
        self.recaller = Recaller(reading, self.vectors, default_memory=default, clock=self.clock)

    async def talk(self, *texts: str, at: Address = HERE, memory: Mapping[str, Any] | None = None) -> Head:
        """Have turns, the last of which is not indexed."""
        for text in (*texts, "And now?"):
            self.clock.now += 60
            before = await self.stores.leases.take(at, lease(until=self.clock.now + 9), create=True)
            turn = commit(message(text), message("I see.", "assistant"))
            head = await self.stores.history.commit(before, turn, token=TOKEN)
        if memory is not None:
            head = await self.stores.conversations.update(head, metadata=None, memory=memory)
        assert await self.indexing.work(at=at)
        return await self.stores.history.head(at)

    async def ask(
        self, text: str, *, before: int | None = None, previous: str = "", at: Address = HERE, **given: Any
    ) -> Recalled:
        question = Question.of(at.user, [Message("user", text)] if text else [], self.vectors)
        question.start()
        try:
            head = await self.stores.history.head(at)
            settings = RecallSettings(**given)
            return await self.recaller.recall(head, question, Shown(before, previous), settings, _tokens)
        finally:
            question.close()


def _tokens(text: str) -> int:
    return len(text.split())


def _count(metric: Metric, value: float = 1, *, reason: str = "") -> None:
    pass


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def quotes(recalled: Recalled) -> list[str]:
    text = recalled.message.text if recalled.message else ""
    return [line.removeprefix("user: ") for line in text.splitlines() if line.startswith("user: ")]


async def test_a_question_brings_up_the_turn_that_answers_it(world: World) -> None:
    head = await world.talk(*TALK)
    recalled = await world.ask("What does my puppy Pochi eat?")
    assert quotes(recalled) == [TALK[0]]
    assert recalled.message is not None
    assert recalled.message.role == "user"
    ids = [stored.item["id"] for stored in await world.stores.history.items(head, 1, 2)]
    assert list(recalled.item_ids) == ids
    assert ids[0] in recalled.message.text
    assert (recalled.degraded, recalled.turns, recalled.conversations) == (None, 4, 1)
    assert next(one.reason for one in recalled.considered) == ""
    assert {one.reason for one in recalled.considered[1:]} <= {"below_floor"}


async def test_a_question_about_something_else_brings_up_nothing(world: World) -> None:
    await world.talk(*TALK)
    recalled = await world.ask("Who won the championship final?")
    assert recalled.message is None
    assert recalled.item_ids == ()
    assert {one.reason for one in recalled.considered} <= {"below_floor"}


async def test_what_the_view_shows_is_not_recalled(world: World) -> None:
    await world.talk(*TALK)
    assert quotes(await world.ask("What does my dog eat?", before=3)) == [TALK[0]]
    assert quotes(await world.ask("What does my dog eat?", before=1)) == []


async def test_a_short_question_is_about_what_was_said_before(world: World) -> None:
    await world.talk(*TALK)
    assert quotes(await world.ask("And why?")) == []
    assert quotes(await world.ask("And why?", previous="My sister plays the cello")) == [TALK[2]]
    assert world.provider.asked[-1] == ["My sister plays the cello\nAnd why?"]
    # An input that is a tool's result asks what the user asked.
    assert quotes(await world.ask("", previous="My sister plays the cello")) == [TALK[2]]
    assert await world.ask("") == Recalled()


@pytest.mark.parametrize("late", [True, False])
async def test_a_vector_that_is_late_or_fails_leaves_the_words(world: World, late: bool) -> None:
    """RC-013."""
    await world.talk(*TALK)
    if late:
        world.provider.seconds = 60
    else:
        world.provider.error = UpstreamError("The provider is down.")
    started = asyncio.get_running_loop().time()
    recalled = await world.ask("What does my dog eat?")
    assert asyncio.get_running_loop().time() - started < 5
    assert quotes(recalled) == [TALK[0]]
    assert recalled.degraded == "lexical_only"


async def test_vectors_of_another_model_are_not_compared_until_the_next_fold(world: World) -> None:
    """RC-014."""
    await world.talk(*TALK)
    assert (await world.ask("What does my dog eat?")).degraded is None
    world.use("text-embedding-3-large")
    before = await world.ask("What does my dog eat?")
    assert (quotes(before), before.degraded) == ([TALK[0]], "lexical_only")
    asked = len(world.provider.asked)
    assert await world.indexing.work()
    (texts,) = world.provider.asked[asked:]
    assert texts == [f"{text}\nI see." for text in TALK]
    after = await world.ask("What does my dog eat?")
    assert (quotes(after), after.degraded) == ([TALK[0]], None)


async def test_a_vector_is_remembered_for_the_user_who_asked(world: World) -> None:
    await world.talk(*TALK)
    await world.ask("What does my dog eat?")
    await asyncio.sleep(0)
    asked = len(world.provider.asked)
    assert quotes(await world.ask("What does my dog eat?")) == [TALK[0]]
    assert len(world.provider.asked) == asked
    question = Question.of("another", [Message("user", "What does my dog eat?")], world.vectors, keep=False)
    assert await question.vector("", fresh_from=0) is not None
    assert len(world.provider.asked) == asked + 1
    again = Question.of("another", [Message("user", "What does my dog eat?")], world.vectors)
    assert await again.vector("", fresh_from=0) is not None
    assert len(world.provider.asked) == asked + 2


async def test_what_was_erased_is_not_recalled_though_it_was_found(world: World) -> None:
    head = await world.talk(*TALK)
    assert quotes(await world.ask("What does my dog eat?")) == [TALK[0]]
    await world.stores.conversations.delete_items(head, Deletion([1], messages=1))
    assert quotes(await world.ask("What does my dog eat?")) == []


async def test_what_expires_is_not_recalled_and_says_so(world: World) -> None:
    await world.talk(*TALK)
    assert quotes(await world.ask("What does my dog eat?", expires_after=86_400)) == [TALK[0]]
    recalled = await world.ask("What does my dog eat?", expires_after=200)
    assert quotes(recalled) == []
    assert "expired" in {one.reason for one in recalled.considered}


async def test_the_whole_message_keeps_to_its_budget(world: World) -> None:
    await world.talk(*(f"My dog Pochi eats salmon on day {day} of the week." for day in range(6)))
    for budget in (60, 80, 100, 200):
        recalled = await world.ask("What does my dog Pochi eat?", max_tokens=budget, k=6)
        assert recalled.message is None or _tokens(recalled.message.text) <= budget
    assert len(quotes(recalled)) == 6


async def test_a_store_that_fails_costs_what_it_would_have_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.talk(*TALK)

    async def failing(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("down")

    monkeypatch.setattr(world.stores.index, "search", failing)
    recalled = await world.ask("What does my dog eat?")
    assert (recalled.message, recalled.degraded) == (None, "unavailable")


async def test_a_conversation_that_was_never_folded_is_not_searched(world: World) -> None:
    before = await world.stores.leases.take(HERE, lease(), create=True)
    await world.stores.history.commit(before, commit(), token=TOKEN)
    question = Question.of(USER, [Message("user", "What does my dog eat?")], world.vectors)
    head = await world.stores.history.head(HERE)
    recalled = await world.recaller.recall(head, question, Shown(None, ""), RecallSettings(), _tokens)
    assert recalled == Recalled(conversations=1)
    assert world.provider.asked == []


OTHER = Address(USER, "another-chat")
FOREIGN = Address("user-2", CONVERSATION)


async def test_other_conversations_are_searched_where_both_sides_stored_so() -> None:
    world = World()
    await world.talk(*TALK[1:], memory=OPEN)
    await world.talk(TALK[0], at=OTHER, memory=OPEN)
    await world.talk("My dog eats the neighbour's shoes.", at=FOREIGN, memory=OPEN)
    recalled = await world.ask("What does my dog eat?", scope="user")
    assert quotes(recalled) == [TALK[0]]
    assert recalled.conversations == 2
    assert quotes(await world.ask("What does my dog eat?")) == []


@pytest.mark.parametrize(("mine", "theirs"), [(OPEN, ON), (ON, OPEN), (ON, ON)])
async def test_one_side_alone_opens_nothing(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    world = World()
    await world.talk(*TALK[1:], memory=mine)
    await world.talk(TALK[0], at=OTHER, memory=theirs)
    recalled = await world.ask("What does my dog eat?", scope="user")
    assert quotes(recalled) == []
    assert recalled.conversations == 1


async def test_a_default_is_no_ones_own_word() -> None:
    world = World(OPEN)
    await world.talk(*TALK[1:])
    await world.talk(TALK[0], at=OTHER)
    recalled = await world.ask("What does my dog eat?", scope="user")
    assert (quotes(recalled), recalled.conversations) == ([], 1)


async def test_an_erased_conversation_is_not_searched() -> None:
    world = World()
    await world.talk(*TALK[1:], memory=OPEN)
    await world.talk(TALK[0], at=OTHER, memory=OPEN)
    await world.stores.conversations.erase(OTHER)
    assert quotes(await world.ask("What does my dog eat?", scope="user")) == []


async def test_two_conversations_that_say_the_same_are_quoted_once() -> None:
    world = World()
    await world.talk(TALK[0], *TALK[1:], memory=OPEN)
    await world.talk(TALK[0], at=OTHER, memory=OPEN)
    recalled = await world.ask("What does my dog eat?", scope="user")
    assert quotes(recalled) == [TALK[0]]
    assert Indexed.of(await world.stores.history.head(OTHER)).folds == 1
