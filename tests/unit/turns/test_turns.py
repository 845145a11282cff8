"""Rules of time, of override and of races that a turn keeps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.deadline import Deadline
from chat_core.errors import CommitConflict, ConversationLocked, NotFound
from chat_core.history import IdempotencyKey, Lease
from chat_core.keys import new_incarnation
from chat_core.turns import Keyed
from tests.unit.turns.stage import HERE, asked, staged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.history import Commit, Head
    from tests.unit.turns.stage import Stage

STEPS = {"policy": "message_window", "max_messages": 4, "evict_step_messages": 2}


class Hooked:
    """A history in which something happens before the first commit of a turn."""

    def __init__(self, history: Any, happens: Any) -> None:
        self._history, self._happens = history, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._history, name)

    async def commit(self, head: Head, commit: Commit, *, token: str | None) -> Head:
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens(head)
        made: Head = await self._history.commit(head, commit, token=token)
        return made


def before_the_commit(stage: Stage, happens: Any) -> None:
    parts = stage.process.turns._parts
    history: Any = Hooked(stage.world.history, happens)
    sources = replace(parts.sources, history=history)
    object.__setattr__(parts, "sources", sources)


async def another_turn(stage: Stage, text: str) -> None:
    """Let another turn in, as where the lease of the first has expired."""
    stage.world.table.rows[HERE].lease = None
    await stage.turn(text)


@pytest.mark.parametrize(("seconds", "replayed"), [(59.0, True), (61.0, False)])
def test_the_sdks_retry_is_answered_from_the_record_for_a_minute(seconds: float, *, replayed: bool) -> None:
    async def main(stage: Stage) -> None:
        first = await stage.turn("one")
        await asyncio.sleep(seconds)
        again = await stage.turn("one", retries=1)
        assert ("Idempotent-Replayed" in again.headers) is replayed
        assert (again.answer == first.answer) is replayed
        assert len(await stage.texts()) == (2 if replayed else 4)

    with staged() as stage:
        stage.run(main(stage))


def test_counts_of_another_models_encoding_are_not_believed() -> None:
    window = {"policy": "token_window", "max_tokens": 90}

    async def main(stage: Stage) -> None:
        for number in range(3):
            await stage.turn(f"{number} 私の名前は渡辺直美です。東京で働いています。", model="gpt-4.1-mini")
        counted = (await stage.turn("last", model="gpt-4", memory={"dry_run": True})).answer["tokens"]["total"]
        told = (await stage.turn("last", model="gpt-4")).answer
        assert told["omoide"]["memory"]["tokens"]["total"] == counted

    with staged(window) as stage:
        stage.run(main(stage))


def test_an_override_does_not_decide_what_is_kept() -> None:
    async def kept(stage: Stage, memory: Mapping[str, Any] | None) -> tuple[Any, ...]:
        for text in ("one", "two", "three"):
            await stage.turn(text)
        await stage.turn("four", memory=memory)
        state, head = await stage.value(), await stage.head()
        assert state is not None
        return [message.text for message in state.kept.messages], state.kept.earlier, head.anchor

    found = []
    for override in (None, {"max_messages": 1, "evict_step_messages": None}, {"policy": "buffer"}):
        with staged(STEPS) as stage:
            found.append(stage.run(kept(stage, override)))
    assert found[1:] == found[:1] * 2


def test_a_late_commit_leaves_no_anchor_of_the_history_that_it_knew() -> None:
    async def main(stage: Stage) -> None:
        for text in ("one", "two", "three"):
            await stage.turn(text)
        assert (await stage.head()).anchor is not None
        before_the_commit(stage, lambda _: another_turn(stage, "quick"))
        await stage.turn("late")
        assert (await stage.texts())[-4:] == ["quick", "QUICK", "late", "LATE"]
        assert (await stage.head()).anchor is None
        await stage.turn("next")
        assert (await stage.head()).anchor is not None

    with staged(STEPS) as stage:
        stage.run(main(stage))


def test_a_late_turn_is_recorded_at_the_place_that_it_got() -> None:
    async def main(stage: Stage) -> None:
        await stage.turn("one")
        before_the_commit(stage, lambda _: another_turn(stage, "quick"))
        key = IdempotencyKey("user", "POST /v1/responses", "key")
        late = asked("late")
        late = replace(late, keyed=Keyed(key, late.fingerprint))
        first = await stage.process.turns.run(late, stage.process.deadline())
        again = await stage.process.turns.run(late, stage.process.deadline())
        assert again.answer == first.answer
        assert again.headers == {"Idempotent-Replayed": "true"}

    with staged() as stage:
        stage.run(main(stage))


def test_a_late_turn_is_not_for_a_new_conversation_of_the_name() -> None:
    async def main(stage: Stage) -> None:
        await stage.turn("one")

        async def erased_and_made_anew(_: Head) -> None:
            del stage.world.table.rows[HERE]
            await stage.turn("another one's first words")
            raise CommitConflict

        before_the_commit(stage, erased_and_made_anew)
        with pytest.raises(NotFound):
            await stage.turn("late")
        assert len(await stage.texts()) == 2

    with staged() as stage:
        stage.run(main(stage))


def test_a_record_of_another_incarnation_answers_nothing() -> None:
    async def main(stage: Stage) -> None:
        key = IdempotencyKey("user", "POST /v1/responses", "key")
        request = asked("one")
        request = replace(request, keyed=Keyed(key, request.fingerprint))
        await stage.process.turns.run(request, stage.process.deadline())
        records = stage.world.table.records
        records[key] = replace(records[key], incarnation=new_incarnation())
        with pytest.raises(NotFound):
            await stage.process.turns.run(request, stage.process.deadline())

    with staged() as stage:
        stage.run(main(stage))


def test_who_waited_for_another_turn_reads_the_value_anew() -> None:
    async def main(stage: Stage) -> None:
        await stage.turn("one")
        calls = len(stage.process.faults.calls)
        await asyncio.gather(stage.turn("two"), stage.turn("three"))
        assert len(await stage.texts()) == 6
        made = stage.process.faults.calls[calls:]
        assert made.count("read_memory") == 3
        assert "replace_history" not in made, "the value that is read is the one that the other turn wrote"

    with staged() as stage:
        stage.run(main(stage))


def test_a_lease_outlives_its_function() -> None:
    async def main(stage: Stage) -> None:
        leases, clock = stage.process.turns._parts.leases, stage.world.loop.time
        await leases.take(HERE, Deadline.after(10, clock=clock), key=None, create=True, reserve=1)
        await asyncio.sleep(12.5)
        probe = Lease("probe", stage.world.clock() + 1)
        with pytest.raises(ConversationLocked):
            await stage.world.leases.take(HERE, probe, create=True)
        await asyncio.sleep(1)
        await stage.world.leases.take(HERE, replace(probe, expires_at=stage.world.clock() + 1), create=True)

    with staged() as stage:
        stage.run(main(stage))


def test_a_failed_turn_leaves_nothing_and_gives_the_lease_back() -> None:
    async def main(stage: Stage) -> None:
        async def fail(*_: Any, **__: Any) -> Any:
            raise NotFound("no such model")

        post, stage.world.model.post = stage.world.model.post, fail  # type: ignore[method-assign]
        with pytest.raises(NotFound):
            await stage.turn("one")
        assert HERE not in stage.world.table.rows
        stage.world.model.post = post  # type: ignore[method-assign]
        await stage.turn("one")
        assert await stage.texts() == ["one", "ONE"]

    with staged() as stage:
        stage.run(main(stage))
