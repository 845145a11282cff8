"""The model fails in every way: the caller is told, and nothing is left of the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.model import faults

if TYPE_CHECKING:
    from local.model.faults import Fault
    from tests.fault.conftest import World

FAULTS: dict[str, tuple[list[Fault], int, str]] = {
    "429": ([faults.rate_limited(3)], 429, "rate_limit_exceeded"),
    "500": ([faults.http_error(500)] * 2, 502, "upstream_error"),
    "cut": ([faults.cut_connection()] * 2, 502, "upstream_error"),
    "malformed": ([faults.malformed_json()] * 2, 502, "upstream_error"),
    "failed": ([faults.failed()] * 2, 502, "upstream_error"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_left_of_a_turn_whose_model_failed(world: World, name: str) -> None:
    script, status, code = FAULTS[name]
    world.turn("talk", "before")
    world.model.script.extend(script)
    answer = world.turn("talk", "in trouble")
    assert (answer.status, answer.error["code"]) == (status, code)
    world.model.script.clear()
    assert world.texts("talk")[0::2] == ["before"]
    # The lease is given back: the next turn begins at once.
    assert world.turn("talk", "after").status == 200
    assert world.texts("talk")[0::2] == ["before", "after"]


def test_a_first_turn_that_fails_leaves_no_conversation(world: World) -> None:
    world.model.script.extend([faults.http_error(500)] * 2)
    assert world.turn("talk", "one").status == 502
    world.model.script.clear()
    assert world.call("GET", "/v1/conversations/talk").status == 404
    assert world.rows() == []


def test_a_slow_model_is_given_up_before_the_gateway_gives_up(world: World) -> None:
    world.model.delay = 3.0
    answer = world.turn("talk", "slowly", seconds=6.5)
    assert (answer.status, answer.error["code"]) == (504, "deadline_exceeded")
    assert answer.headers["x-should-retry"] == "false"
    world.model.delay = 0.0
    assert world.rows() == []


def test_a_turn_with_too_little_time_is_refused_before_the_model(world: World) -> None:
    answer = world.turn("talk", "late", seconds=5.5)
    assert (answer.status, answer.error["code"]) == (504, "deadline_exceeded")
    assert answer.headers["x-should-retry"] == "false"
    assert (world.model_calls, world.rows()) == (0, [])


def test_no_time_at_all_is_told_all_the_same(world: World) -> None:
    answer = world.call("GET", "/v1/conversations/talk", seconds=0.1)
    assert (answer.status, answer.error["code"]) == (504, "deadline_exceeded")


def test_an_answer_that_nobody_could_read_back_is_found_before_the_commit(world: World) -> None:
    world.turn("talk", "before")
    world.model.script.append(faults.refusal('" ' * 1_250_000))
    answer = world.turn("talk", "tell me everything")
    assert (answer.status, answer.error["code"]) == (502, "answer_too_large")
    assert answer.headers["x-should-retry"] == "false"
    assert world.texts("talk")[0::2] == ["before"]
    assert world.turn("talk", "after").status == 200
