"""The work on one conversation: delivered twice, late, to two at once, by a model that errs, one effect in the end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import StoreUnavailable, UpstreamError, UpstreamRejected
from chat_core.history import Deletion, Unfolded
from chat_core.long_term.records import BACKOFF_LATER
from chat_core.observability import Metric
from tests.unit.long_term.world import HERE, World, written

if TYPE_CHECKING:
    from collections.abc import Coroutine


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def test_what_is_due_is_folded_once_however_often_it_is_told() -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4)
        assert [await world.work() for _ in range(3)] == ["folded", "nothing", "nothing"]
        memory = await world.memory()
        assert (memory.summary.text, memory.covers_up_to, memory.folds) == ("notes 1", 4, 1)
        assert len(world.model.asked) == 1
        assert (await world.history.head(HERE)).unfolded.messages == 4
        assert await world.store.due(HERE) is None

    run(scenario())


def test_a_record_without_work_and_work_that_is_not_due_call_no_model() -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(3)
        assert [await world.work() for _ in range(2)] == ["nothing", "nothing"]
        assert world.model.asked == []

    run(scenario())


def test_two_workers_at_once_have_one_effect() -> None:
    """MX-001: delivered twice, out of order, and to two at once."""

    async def scenario() -> None:
        world = World()
        await world.turns(6)
        world.model.gate = asyncio.Event()
        both = asyncio.gather(world.work(), world.work())
        await world.model_is_asked(times=2)
        world.model.gate.set()
        assert sorted(await both) == ["folded", "nothing"]
        memory = await world.memory()
        assert (memory.covers_up_to, memory.folds) == (8, 1)
        assert len(world.model.asked) == 2
        assert await world.work() == "nothing"
        assert len(world.model.asked) == 2

    run(scenario())


def test_of_two_that_race_the_one_that_covers_less_never_overwrites_the_other() -> None:
    """SM-016: the first has read four turns, the second six; whoever comes second has no effect."""

    async def scenario() -> None:
        world = World()
        await world.turns(4)
        world.model.gate = asyncio.Event()
        slow = asyncio.ensure_future(world.work())
        await world.model_is_asked()
        gate, world.model.gate = world.model.gate, None
        await world.turns(2)
        assert await world.work() == "folded"
        assert (await world.memory()).covers_up_to == 8
        gate.set()
        assert await slow == "nothing"
        assert ((await world.memory()).covers_up_to, (await world.memory()).folds) == (8, 1)

    run(scenario())


def test_turns_go_on_while_a_fold_runs() -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4)
        world.model.gate = asyncio.Event()
        folding = asyncio.ensure_future(world.work())
        await world.model_is_asked()
        await world.turns(2, due=False)
        world.model.gate.set()
        assert await folding == "folded"
        head = await world.history.head(HERE)
        assert (head.seq, head.folds, head.unfolded.messages) == (12, 1, 8)

    run(scenario())


def test_work_that_is_asked_for_while_it_is_done_is_not_lost() -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4)
        world.model.gate = asyncio.Event()
        folding = asyncio.ensure_future(world.work())
        await world.model_is_asked()
        await world.turns(2)
        world.model.gate.set()
        assert await folding == "folded"
        assert await world.store.due(HERE) is not None
        assert await world.work() == "folded"
        assert (await world.memory()).covers_up_to == 8

    run(scenario())


def test_a_fold_that_began_before_an_erasure_may_not_write() -> None:
    """SU-012."""

    async def scenario() -> None:
        world = World()
        head = await world.turns(4)
        world.model.gate = asyncio.Event()
        folding = asyncio.ensure_future(world.work())
        await world.model_is_asked()
        await world.conversations.delete_items(head, Deletion([1, 2], 2))
        world.model.gate.set()
        assert await folding == "nothing"  # six messages are left
        assert (await world.history.head(HERE)).folds == 0
        await world.turns(1)
        assert await world.work() == "folded"
        assert "question 1\n" not in json.dumps(world.model.asked[-1]["input"])

    run(scenario())


def test_a_fold_of_an_erased_conversation_is_refused() -> None:
    """MX-002."""

    async def scenario() -> None:
        world = World()
        await world.turns(4)
        world.model.gate = asyncio.Event()
        folding = asyncio.ensure_future(world.work())
        await world.model_is_asked()
        await world.conversations.erase(HERE)
        again = await world.turns(1, due=False)
        world.model.gate.set()
        assert await folding == "nothing"
        assert await world.store.read(again) is None

    run(scenario())


def test_after_an_erasure_the_next_fold_starts_behind_the_checkpoint() -> None:
    """SU-011."""

    async def scenario() -> None:
        world = World()
        await world.turns(4)
        await world.work()
        await world.turns(4)
        await world.work()
        head = await world.history.head(HERE)
        assert (await world.memory()).covers_up_to == 12
        await world.conversations.delete_items(head, Deletion([7], 1))
        assert (await world.memory()).summary.text == "notes 1"
        assert (await world.memory()).covers_up_to == 4
        assert await world.work() == "folded"
        asked = json.dumps(world.model.asked[-1]["input"])
        assert "question 5" in asked
        assert "question 7" not in asked
        assert not (await world.memory()).erased

    run(scenario())


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([written("これは日本語のまとめです。"), written("これも日本語のまとめです。")], "wrong_language"),
        ([written("long " * 500), written("long " * 500)], "too_long"),
        ([written(" \n")], "blank"),
        ([written("I'm sorry, but I can't help with that.")], "refusal"),
        ([{"status": "completed", "output": []}], "invalid_output"),
        ([{"status": "incomplete", "output": []}], "invalid_output"),
        ([UpstreamRejected(status=400, error={"message": "secret"}, headers={})], "rejected"),
        ([UpstreamError("secret")], "upstream_error"),
    ],
)
def test_a_refused_answer_is_put_off_and_tried_again(answers: list[Any], code: str) -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4, text="this is what I have to say to you")
        world.model.script = list(answers)
        assert await world.work() == "failed"
        memory = await world.memory()
        assert (memory.last_error, memory.attempts, memory.covers_up_to) == (code, 1, 0)
        assert len(world.model.asked) == len(answers)
        assert (Metric.FOLDS_FAILED, code) in world.counts
        assert await world.work() == "put_off"
        world.now += 1
        assert await world.work() == "folded"
        memory = await world.memory()
        assert (memory.last_error, memory.attempts, memory.covers_up_to) == ("", 0, 4)

    run(scenario())


def test_a_second_answer_that_is_good_is_taken() -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4)
        world.model.script = [written("long " * 500), written("short")]
        assert await world.work() == "folded"
        first, second = (asked["input"][-1]["content"] for asked in world.model.asked)
        assert "too long" not in first
        assert "too long" in second

    run(scenario())


def test_a_range_that_is_refused_three_times_is_skipped_and_told() -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4)
        for _ in range(2):
            world.model.script = [written("")]
            assert await world.work() == "failed"
            world.now += BACKOFF_LATER
        world.model.script = [written("")]
        assert await world.work() == "folded"
        memory = await world.memory()
        assert (memory.skipped, memory.covers_up_to, memory.summary.text) == (((1, 4),), 4, "")
        assert memory.last_error == "blank"

    run(scenario())


def test_an_outage_skips_nothing_and_is_heard_of() -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4)
        for attempt in range(1, 8):
            world.model.script = [UpstreamError("down")]
            assert await world.work() == "failed"
            assert ((Metric.FOLDS_STUCK, "") in world.counts) == (attempt >= 5)
            world.now += BACKOFF_LATER
        assert (await world.memory()).skipped == ()
        assert await world.work() == "folded"

    run(scenario())


@pytest.mark.parametrize("param", ["temperature", "text.format"])
def test_a_parameter_that_the_provider_refuses_is_left_out_from_then_on(param: str) -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4)
        refused = UpstreamRejected(status=400, error={"message": "no", "param": param}, headers={})
        world.model.script = [refused, written("fine")]
        assert await world.work() == "folded"
        await world.turns(4)
        assert await world.work() == "folded"
        name = param.split(".", maxsplit=1)[0]
        assert [name in asked for asked in world.model.asked] == [True, False, False]

    run(scenario())


def test_a_long_history_is_folded_in_a_row_oldest_first() -> None:
    async def scenario() -> None:
        world = World({"policy": "summary_window"})
        await world.turns(400, text="word " * 100)
        assert await world.work() == "folded"
        memory = await world.memory()
        head = await world.history.head(HERE)
        assert len(world.model.asked) > 5
        assert head.folds == len(world.model.asked)
        assert head.unfolded.bytes <= 2_000 * 4
        assert memory.covers_up_to > 700
        # What one call was told is an input of the next.
        assert "notes 1" in json.dumps(world.model.asked[1]["input"][0])
        # No turn is in two calls.
        asked = [one["input"][-1]["content"] for one in world.model.asked]
        assert sum(" 1\n" in one for one in asked) == 1

    run(scenario())


def test_a_store_that_fails_leaves_the_work() -> None:
    async def scenario() -> None:
        world = World()
        await world.turns(4)

        async def fail(*_: object) -> None:
            raise StoreUnavailable("down")

        change, world.store.change = world.store.change, fail  # type: ignore[method-assign,assignment]
        with pytest.raises(StoreUnavailable):
            await world.work()
        world.store.change = change  # type: ignore[method-assign]
        assert await world.work() == "folded"

    run(scenario())


def test_an_estimate_that_was_too_high_is_put_right() -> None:
    async def scenario() -> None:
        world = World({"policy": "summary_window"})
        head = await world.turns(2)
        row = world.table.rows[HERE]
        row.head = replace(head, unfolded=Unfolded(99_999, 4))
        assert await world.work() == "nothing"
        assert (await world.history.head(HERE)).unfolded.bytes < 1_000

    run(scenario())
