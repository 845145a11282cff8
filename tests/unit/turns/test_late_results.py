"""Results that come long after their calls: every path takes them, or refuses them, and shows the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import InvalidRequest
from tests.fault.parts import Process
from tests.unit.turns.stage import HERE, asked, staged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.unit.turns.stage import Stage

Item = dict[str, Any]


def says(text: str, role: str = "user") -> Item:
    return {"type": "message", "role": role, "content": text}


def call(name: str) -> Item:
    return {"type": "function_call", "call_id": name, "name": "tool", "arguments": "{}"}


def result(name: str) -> Item:
    return {"type": "function_call_output", "call_id": name, "output": "result"}


UNANSWERED = [
    *(says("hi"), call("a"), says("so", "assistant"), call("d1"), call("d2"), result("a")),
    *(call("b"), result("b"), says("well", "assistant")),
]
"""The calls of "so" have no results, so that it is no exchange yet that could go."""


class Model:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.inputs: list[list[Item]] = []

    async def post(self, endpoint: str, body: Mapping[str, Any], *, timeout: float, tell: object = None) -> Any:
        self.inputs.append(list(body["input"]))
        content = [{"type": "output_text", "text": "fine", "annotations": [], "logprobs": []}]
        return {
            "id": f"resp_{len(self.inputs)}",
            "object": "response",
            "status": "completed",
            "model": "a-model",
            "output": [{"type": "message", "role": "assistant", "status": "completed", "content": content}],
            "usage": {"total_tokens": 1},
        }


def model_of(stage: Stage, settings: Mapping[str, Any]) -> Model:
    stage.world.model = model = Model()  # type: ignore[assignment]
    stage.process = Process(stage.world, settings=settings)
    return model


async def send(stage: Stage, items: Sequence[Item], memory: Mapping[str, Any] | None = None) -> Any:
    request = replace(asked(repr(items), memory=memory), input=tuple(items))
    return await stage.process.turns.run(request, stage.process.deadline())


@pytest.mark.parametrize("wiped", [False, True], ids=["hot", "rebuilt"])
@pytest.mark.parametrize("most", [1, 2, 5, 8])
@pytest.mark.parametrize("late", [["d1"], ["d2"], ["d1", "d2"]])
def test_the_model_sees_what_the_whole_history_gives(late: list[str], most: int, wiped: bool) -> None:
    settings = {"policy": "message_window", "max_messages": most}

    async def main(stage: Stage) -> None:
        model = model_of(stage, settings)
        await send(stage, UNANSWERED)
        for name in late:
            if wiped:
                stage.world.memory.wipe()
            whole = await send(stage, [result(name)], {"dry_run": True})
            await send(stage, [result(name)])
            assert model.inputs[-1] == whole.answer["input"]

    with staged() as stage:
        stage.run(main(stage))


@pytest.mark.parametrize("wiped", [False, True], ids=["hot", "rebuilt"])
@pytest.mark.parametrize(("between", "taken"), [(30, True), (195, True), (205, False)])
def test_a_result_is_taken_up_to_two_hundred_items_behind_its_call(between: int, taken: bool, wiped: bool) -> None:
    settings = {"policy": "message_window", "max_messages": 5}

    async def main(stage: Stage) -> None:
        model_of(stage, settings)
        deadline = stage.process.deadline()
        await send(stage, [says("hi"), call("d1")])
        await stage.process.conversations.add_items(HERE, [says(f"{n}") for n in range(between - 2)], deadline=deadline)
        await send(stage, [says("so")])
        if wiped:
            stage.world.memory.wipe()
        if taken:
            assert await send(stage, [result("d1")])
        else:
            with pytest.raises(InvalidRequest):
                await send(stage, [result("d1")])

    with staged() as stage:
        stage.run(main(stage))
