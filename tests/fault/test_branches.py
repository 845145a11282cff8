"""An environment that dies, or is refused, at any call of a turn behind a response: one turn in the end, whole."""

from __future__ import annotations

import asyncio
import contextlib
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.cache import Directives, ModelCall
from chat_core.errors import ChatError
from chat_core.history import IdempotencyKey
from chat_core.keys import parse_response_id, unnamed_address
from chat_core.turns import Keyed, TurnRequest
from tests.fakes.virtual_time import VirtualLoop
from tests.fault.parts import Dead, Process, World

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.fault.parts import Action

USER = "user"
KEY = IdempotencyKey(USER, "POST /v1/responses", "key")


def behind(response: str, text: str, *, keyed: bool = False) -> TurnRequest:
    """Make a request that goes on from a response."""
    parsed = parse_response_id(response)
    assert parsed is not None
    asked = sha256(text.encode()).hexdigest()
    return TurnRequest(
        address=unnamed_address(USER, parsed[0]),
        body={"model": "m"},
        input=({"type": "message", "role": "user", "content": text},),
        memory=None,
        directives=Directives(),
        fingerprint=asked,
        keyed=Keyed(KEY, asked) if keyed else None,
        previous=response,
    )


async def first_of(world: World) -> str:
    """Store a call without a conversation, and tell the response's id."""
    process = Process(world)
    call = ModelCall(USER, {"model": "m", "input": [{"role": "user", "content": "one"}]}, Directives())
    answer = (await process.calls.run(call, process.deadline(), store=True)).answer
    assert answer["store"] is True
    return str(answer["id"])


async def go_on(world: World, request: TurnRequest, process: Process | None = None) -> dict[str, Any]:
    process = process or Process(world)
    return (await process.turns.run(request, process.deadline())).answer


def said(world: World, incarnation: str) -> list[str]:
    """The texts of an unnamed conversation, past its readers."""
    row = world.table.rows[unnamed_address(USER, incarnation)]
    return [item.item["content"][0]["text"] for _, item in sorted(row.items.items())]


def in_virtual_time(main: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop: Any = runner.get_loop()
        runner.run(main(World(loop)))


ACTIONS: tuple[Action, ...] = ("die before", "die after", "lose answer", "refuse", "jump")


@pytest.mark.parametrize("branches", [False, True], ids=["behind", "branch"])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("call", range(1, 15))
def test_any_fault_and_a_retry_make_one_turn(call: int, action: Action, *, branches: bool) -> None:
    async def main(world: World) -> None:
        first = await first_of(world)
        origin = ["one", "ONE"]
        if branches:
            await go_on(world, behind(first, "two"))
            origin = [*origin, "two", "TWO"]
        asked = behind(first, "three", keyed=True)
        faulty = Process(world, {call: action})
        answer = None
        with contextlib.suppress(ChatError, Dead):
            answer = await go_on(world, asked, faulty)
        world.skew += 40.0  # the lease of one that died is over
        again = await go_on(world, asked)
        assert answer is None or again == answer
        parsed = parse_response_id(again["id"])
        assert parsed is not None
        begun = ["one", "ONE", "three", "THREE"]
        assert said(world, parsed[0]) == begun
        if parsed[0] != first[5:21]:
            assert said(world, first[5:21]) == origin
        assert len(world.table.rows) == 1 + (parsed[0] != first[5:21])
        response = await Process(world).responses.answer(USER, again["id"])
        assert response == again
        assert (await Process(world).responses.answer(USER, first))["output"][0]["content"][0]["text"] == "ONE"
        erased = await Process(world).erasure.everything(USER, Process(world).deadline())
        assert erased.complete
        assert not world.table.rows
        assert not world.table.responses

    in_virtual_time(main)


@pytest.mark.parametrize("count", [2, 5])
def test_turns_at_once_from_one_response_are_branches_of_it(count: int) -> None:
    async def main(world: World) -> None:
        first = await first_of(world)
        asked = [behind(first, f"text {number}") for number in range(count)]
        answers = await asyncio.gather(*(go_on(world, request) for request in asked))
        places = [parse_response_id(answer["id"]) for answer in answers]
        incarnations = {place[0] for place in places if place}
        assert len(incarnations) == count
        assert first[5:21] in incarnations
        for number, place in enumerate(places):
            assert place is not None
            assert said(world, place[0]) == ["one", "ONE", f"text {number}", f"TEXT {number}"]
        assert {tuple(seen) for seen in world.model.seen[1:]} == {("one", "ONE", f"text {n}") for n in range(count)}

    in_virtual_time(main)


def test_a_turn_whose_lease_ran_out_branches_and_is_not_appended() -> None:
    async def main(world: World) -> None:
        first = await first_of(world)
        slow = Process(world, {})
        turn = asyncio.ensure_future(go_on(world, behind(first, "slow"), slow))
        await asyncio.sleep(0.1)
        for row in world.table.rows.values():
            row.lease = None
        quick = await go_on(world, behind(first, "quick"))
        late = await turn
        assert quick["id"][5:21] == first[5:21] != late["id"][5:21]
        assert said(world, late["id"][5:21]) == ["one", "ONE", "slow", "SLOW"]
        assert said(world, first[5:21]) == ["one", "ONE", "quick", "QUICK"]

    in_virtual_time(main)


def test_an_origin_that_is_erased_while_a_branch_runs_leaves_nothing() -> None:
    async def main(world: World) -> None:
        first = await first_of(world)
        await go_on(world, behind(first, "two"))
        turn = asyncio.ensure_future(go_on(world, behind(first, "aside")))
        await asyncio.sleep(0.1)
        await Process(world).erasure.everything(USER, Process(world).deadline())
        with pytest.raises(ChatError) as refused:
            await turn
        assert refused.value.code == "previous_response_not_found"
        assert not world.table.rows
        assert not world.table.responses

    in_virtual_time(main)
