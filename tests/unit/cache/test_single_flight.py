from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.cache.access import CacheAccess
from chat_core.cache.flow import CacheFlow, Provider
from chat_core.cache.policy import Directives
from chat_core.cache.replies import Replies
from chat_core.cache.reply import ModelCall, Reply
from chat_core.cache.single_flight import SingleFlight
from chat_core.errors import CacheUnavailable, UpstreamError, UpstreamTimeout
from chat_core.keys.space import KeySpace
from tests.fakes import virtual_time
from tests.fakes.model import FakeModel, completion
from tests.fakes.momento import InMemoryResponseCache

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.observability import Metric

    Clock = Callable[[], float]

BODY = {"model": "fake", "messages": [{"role": "user", "content": "hi"}]}
KEY = "llm:1:tag:hash"
TIMEOUT = 27.0


def ignore(metric: Metric, value: float = 1, *, reason: str = "") -> None:
    """Take no metrics."""


class SlowCache(InMemoryResponseCache):
    """A cache every call of which takes so many seconds, and that does what it was asked all the same."""

    seconds = 0.0

    async def get(self, key: str, *, timeout: float) -> bytes | None:
        value = await super().get(key, timeout=timeout)
        await self._wait(timeout)
        return value

    async def set(self, key: str, value: bytes, *, ttl: float, timeout: float) -> None:
        await super().set(key, value, ttl=ttl, timeout=timeout)
        await self._wait(timeout)

    async def set_if_absent(self, key: str, value: bytes, *, ttl: float, timeout: float) -> bool:
        absent = self._values.get(key) is None
        if absent:
            self._values.set(key, value, ttl)
        await self._wait(timeout)
        return absent

    async def _wait(self, timeout: float) -> None:
        await asyncio.sleep(min(self.seconds, timeout))
        if self.seconds > timeout:
            raise CacheUnavailable("timeout")


def environment(cache: InMemoryResponseCache, model: FakeModel, clock: Clock) -> Replies:
    """Make what one Lambda environment has of its own."""
    keys = KeySpace("https://api.openai.com/v1")
    access = CacheAccess(cache, ignore)
    flow = CacheFlow(access, ignore)
    flow.flights = SingleFlight(access, clock=clock)
    return Replies(flow, Provider(access, model, keys, 3600, clock))


async def ask(replies: Replies, *, timeout: float = TIMEOUT, after: float = 0.0, **directives: Any) -> Reply:
    await asyncio.sleep(after)
    return await replies.respond(
        ModelCall("naomi", BODY, Directives(**directives), "chat/completions"), timeout=timeout
    )


def content(reply: Reply) -> str:
    return str(reply.response["choices"][0]["message"]["content"])


# Requests


def test_a_stampede_over_many_environments_is_one_call() -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel()
        replies = await asyncio.gather(*(ask(environment(cache, model, clock), after=n / 500) for n in range(100)))
        assert len(model.bodies) == 1
        assert {content(reply) for reply in replies} == {"Tokyo."}
        assert sorted({reply.status for reply in replies}) == ["HIT", "MISS"]
        hits = [reply for reply in replies if reply.status == "HIT"]
        assert len(hits) == 99
        assert all(reply.cache_status.endswith("; collapsed") and reply.saved_tokens == 5 for reply in hits)
        assert not any(key.startswith("lease:") for key in cache._values._entries)

    virtual_time.run(main)


def test_a_leaders_error_is_its_own_and_another_takes_over() -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel()
        model.script.append(UpstreamError("failed"))
        replies = await asyncio.gather(
            *(ask(environment(cache, model, clock), after=n / 100) for n in range(20)), return_exceptions=True
        )
        assert isinstance(replies[0], UpstreamError)
        answers = [reply for reply in replies[1:] if isinstance(reply, Reply)]
        assert len(answers) == 19
        assert len(model.bodies) == 2
        assert [reply.status for reply in answers].count("MISS") == 1

    virtual_time.run(main)


def test_an_answer_that_is_not_for_sharing_makes_each_call_for_itself() -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel()
        model.script.extend(completion(None, refusal="no") for _ in range(20))
        start = clock()
        replies = await asyncio.gather(*(ask(environment(cache, model, clock), after=n / 100) for n in range(20)))
        assert len(model.bodies) == 20
        assert {reply.status for reply in replies} == {"MISS"}
        assert clock() - start < 2 * model.seconds + 1.5

    virtual_time.run(main)


def test_a_model_that_fails_every_time_does_not_make_them_queue() -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel(seconds=2.0)
        model.script.extend(UpstreamError("failed") for _ in range(50))
        start = clock()
        replies = await asyncio.gather(
            *(ask(environment(cache, model, clock)) for _ in range(50)), return_exceptions=True
        )
        assert all(isinstance(reply, UpstreamError) for reply in replies)
        assert clock() - start < TIMEOUT / 2

    virtual_time.run(main)


@pytest.mark.parametrize("seconds_left", [3.0, 27.0])
def test_a_waiter_whose_leader_died_takes_over(seconds_left: float) -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel()
        dying = FakeModel(seconds=1e6)
        leader = asyncio.create_task(ask(environment(cache, dying, clock), timeout=seconds_left))
        await asyncio.sleep(0.1)
        lease = next(key for key in cache._values._entries if key.startswith("lease:"))
        held = cache._values._entries[lease]
        leader.cancel()
        await asyncio.sleep(0.1)
        cache._values._entries[lease] = held  # a process that was killed gives nothing back
        replies = await asyncio.gather(*(ask(environment(cache, model, clock)) for _ in range(10)))
        assert {content(reply) for reply in replies} == {"Tokyo."}
        assert len(model.bodies) == 1

    virtual_time.run(main)


def test_a_lease_whose_answer_was_lost_stops_nobody() -> None:
    async def main(clock: Clock) -> None:
        cache, model = SlowCache(clock), FakeModel(seconds=2.0)
        first = environment(cache, model, clock)
        cache.seconds = 0.9  # over every time but that of giving back
        reply = await ask(first)
        assert (reply.status, reply.cache_status) == ("BYPASS", "omoide; fwd=bypass; detail=cache-timeout")
        cache.seconds = 0.0
        start = clock()
        assert (await ask(environment(cache, model, clock))).status == "MISS"
        assert clock() - start < model.seconds + 0.5

    virtual_time.run(main)


def test_a_first_read_that_ran_out_of_time_does_not_excuse_from_the_lease() -> None:
    async def main(clock: Clock) -> None:
        cache, model = SlowCache(clock), FakeModel()
        environments = [environment(cache, model, clock) for _ in range(10)]
        for each in environments:
            await each._provider.cache.get("connected")
        cache.seconds = 0.1
        replies = await asyncio.gather(*(ask(each) for each in environments))
        assert len(model.bodies) == 1
        assert [reply.status for reply in replies].count("HIT") == 9

    virtual_time.run(main)


def test_a_cache_that_is_down_lets_each_call_for_itself() -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel()
        cache.unavailable = "unavailable"
        replies = await asyncio.gather(*(ask(environment(cache, model, clock)) for _ in range(5)))
        assert len(model.bodies) == 5
        assert {reply.cache_status for reply in replies} == {"omoide; fwd=bypass; detail=cache-unavailable"}

    virtual_time.run(main)


def test_a_cache_that_goes_down_while_they_wait_lets_each_call_for_itself() -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel(seconds=5.0)
        asked = [asyncio.create_task(ask(environment(cache, model, clock))) for _ in range(5)]
        await asyncio.sleep(1)
        cache.unavailable = "unavailable"
        replies = await asyncio.gather(*asked)
        assert [reply.status for reply in replies].count("BYPASS") == 4

    virtual_time.run(main)


@pytest.mark.parametrize("directives", [{"no_cache": True}, {"no_store": True}, {"max_age": 0}])
def test_who_takes_or_leaves_nothing_waits_for_nobody(directives: dict[str, Any]) -> None:
    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel()
        leader = asyncio.create_task(ask(environment(cache, model, clock)))
        await asyncio.sleep(0.1)
        assert (await ask(environment(cache, model, clock), **directives)).status == "MISS"
        assert (await leader).status == "MISS"
        assert len(model.bodies) == 2

    virtual_time.run(main)


@given(
    st.lists(st.sampled_from(["answer", "error", "refusal", "late"]), max_size=8),
    st.lists(st.floats(0, 2), min_size=1, max_size=12),
)
def test_whatever_the_leaders_come_to_everyone_gets_an_answer_or_an_error_in_time(
    ends: list[str], arrivals: list[float]
) -> None:
    ended: dict[str, dict[str, Any] | BaseException] = {
        "answer": completion(),
        "error": UpstreamError("failed"),
        "refusal": completion(None, refusal="no"),
        "late": UpstreamTimeout("late"),
    }

    async def main(clock: Clock) -> None:
        cache, model = InMemoryResponseCache(clock), FakeModel(seconds=1.0)
        model.script.extend(ended[end] for end in ends)
        start = clock()
        replies = await asyncio.gather(
            *(ask(environment(cache, model, clock), after=after) for after in arrivals), return_exceptions=True
        )
        assert all(isinstance(reply, Reply | UpstreamError | UpstreamTimeout) for reply in replies)
        assert clock() - start < max(arrivals) + TIMEOUT
        assert len(model.bodies) <= len(arrivals)
        if not ends:
            assert len(model.bodies) == 1
        failed = sum(isinstance(reply, BaseException) for reply in replies)
        assert failed <= sum(end in ("error", "late") for end in ends)

    virtual_time.run(main)
