"""What a tool loop sends once more without ids is found; what is not stored is never taken for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.messages import stored_item
from chat_core.turns.resent import may_be_resent, resent

Item = dict[str, Any]


def says(text: str, role: str = "user") -> Item:
    return {"role": role, "content": text}


def call(name: str) -> Item:
    return {"type": "function_call", "call_id": name, "name": "tool", "arguments": "{}"}


def result(name: str, output: str = "") -> Item:
    return {"type": "function_call_output", "call_id": name, "output": output or f"result of {name}"}


def history(*items: Item) -> list[Item]:
    return [{"id": f"item_{place}", **stored_item(item)} for place, item in enumerate(items)]


X, Y = says("x"), says("y")
A = says("answer", "assistant")
THINKS = {"type": "reasoning", "summary": []}


@pytest.mark.parametrize(
    ("stored", "sent", "known"),
    [
        pytest.param([X, call("a")], [X, result("a")], 1, id="second step"),
        pytest.param([X, call("a"), result("a"), call("b")], [X, result("a"), result("b")], 2, id="third step"),
        pytest.param([X, THINKS, A, call("a")], [X, result("a")], 1, id="what the model wrote before is no matter"),
        pytest.param([X, call("a"), call("b")], [X, result("a"), result("b")], 1, id="parallel calls"),
        pytest.param([X, call("a"), call("b")], [X, result("b"), result("a")], 1, id="parallel, the other way round"),
        pytest.param([X, call("a"), result("a"), A], [X, result("a"), Y], 2, id="a question behind a stored result"),
        pytest.param([Y, A, X, call("a")], [X, result("a")], 1, id="behind an older turn"),
        pytest.param([Y, A, X, call("a")], [Y, X, result("a")], 2, id="all of the caller's"),
        pytest.param([X, call("a")], [X, call("a"), result("a")], 2, id="the call as well"),
        pytest.param([X, call("a"), Y, A], [X, result("a")], 1, id="a late result"),
        pytest.param(
            [X, call("a"), result("a"), A, X, call("a")], [X, result("a")], 1, id="an id anew: the newest call counts"
        ),
        pytest.param([X, call("a"), result("a"), A], [X, result("a")], 0, id="nothing is new: as it came"),
        pytest.param([X, call("a")], [Y, result("a")], 0, id="another text"),
        pytest.param([X, call("a")], [{**X, "role": "developer"}, result("a")], 0, id="another role"),
        pytest.param([X, call("a")], [Y, X, result("a")], 0, id="more than is stored"),
        pytest.param([X, Y, call("a")], [X, result("a")], 0, id="not the last of the caller's"),
        pytest.param([X, Y, call("a")], [Y, X, result("a")], 0, id="another order"),
        pytest.param([X, call("a"), Y, A], [X, Y, result("a")], 0, id="what came behind the call"),
        pytest.param([X, call("a"), result("a"), call("b")], [X, result("a", "else"), result("b")], 0, id="unequal"),
        pytest.param([X, call("a")], [X, result("none")], 0, id="no such call"),
        pytest.param([], [X, result("a")], 0, id="no history"),
    ],
)
def test_what_is_known(stored: list[Item], sent: list[Item], known: int) -> None:
    assert resent(sent, history(*stored)) == known


def test_only_results_beside_other_items_are_looked_up() -> None:
    assert may_be_resent([X, result("a")])
    assert not may_be_resent([result("a"), result("b")])
    assert not may_be_resent([X, A])
    assert not may_be_resent([])


def bare(item: Item) -> Item:
    return {name: value for name, value in stored_item(item).items() if name not in ("id", "status")}


items = st.one_of(
    st.builds(says, st.sampled_from("xy"), st.sampled_from(["user", "assistant", "developer"])),
    st.builds(call, st.sampled_from("ab")),
    st.builds(result, st.sampled_from("ab"), st.sampled_from(["", "else"])),
)


@given(st.lists(items, max_size=8), st.lists(items, max_size=6))
def test_what_is_dropped_is_stored_in_that_order_and_something_is_left(stored: list[Item], sent: list[Item]) -> None:
    known = resent(sent, history(*stored))
    assert known == 0 or known < len(sent)
    there = iter([bare(item) for item in stored])
    assert all(bare(item) in there for item in sent[:known])


@given(st.lists(st.integers(1, 3), min_size=1, max_size=5), st.lists(items, max_size=6))
def test_a_loop_of_any_length_adds_the_newest_results_alone(steps: list[int], before: list[Item]) -> None:
    stored, sent, count = [*before, X], [X], 0
    for calls in steps:
        names = [f"call_{count + one}" for one in range(calls)]
        count += calls
        stored += map(call, names)
        known = len(sent)
        sent += map(result, names)
        assert resent(sent, history(*stored)) == known
        stored += map(result, names)
