from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_core.long_term.fold import batches, due_turns, is_due
from chat_core.long_term.turns import whole_turns
from chat_core.memory import Folding
from chat_core.messages import Message, ToolCall


def size(turn: int) -> int:
    return turn


def test_more_than_the_trigger_is_due() -> None:
    assert not is_due([100] * 10, Folding(1000, 400))
    assert is_due([100] * 10 + [1], Folding(1000, 400))


def test_the_newest_turn_never_goes() -> None:
    assert due_turns([100, 100, 5000], size, Folding(1000, 400)) == (100, 100)
    assert due_turns([5000], size, Folding(1000, 400)) == ()


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(2, 2_000), st.data())
def test_oldest_turns_go_until_the_rest_is_at_most_what_is_kept(
    sizes: list[int], trigger: int, data: st.DataObject
) -> None:
    keep = data.draw(st.integers(0, trigger - 1))
    went = due_turns(sizes, size, Folding(trigger, keep))
    rest = sizes[len(went) :]
    assert tuple(sizes[: len(went)]) == went
    if not is_due(sizes, Folding(trigger, keep)):
        assert went == ()
        return
    assert rest
    assert sum(rest) <= keep or len(rest) == 1
    # No more went than had to.
    assert sum(rest) + went[-1] > keep


@given(st.lists(st.integers(1, 300), max_size=40), st.integers(1, 400))
def test_every_turn_enters_one_call_whole_and_in_order(sizes: list[int], limit: int) -> None:
    cut = batches(sizes, size, limit=limit)
    assert [turn for batch in cut for turn in batch.turns] == sizes
    for batch in cut:
        assert batch.partial == (sum(batch.turns) > limit)
        assert not batch.partial or len(batch.turns) == 1


def said(*roles: str) -> list[Message]:
    return [Message(role, role, seq=seq) for seq, role in enumerate(roles, 1)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("roles", "ends"),
    [
        (("user", "assistant", "user", "assistant"), [2, 4]),
        (("user", "user", "assistant", "user"), [3, 4]),
        (("assistant", "user", "assistant"), [1, 3]),
        (("system", "user", "assistant", "system", "user"), [4, 5]),
        (("user", "assistant", "system", "tool", "assistant"), [5]),
        ((), []),
    ],
)
def test_a_turn_opens_where_a_user_speaks_after_another(roles: tuple[str, ...], ends: list[int]) -> None:
    turns = whole_turns(said(*roles))
    assert [turn.last for turn in turns] == ends
    assert [turn.first for turn in turns] == [1, *(end + 1 for end in ends[:-1])][: len(ends)]
    assert not any(message.role == "system" for turn in turns for message in turn.messages)


def test_a_turn_begins_with_its_first_item() -> None:
    calls = tuple(ToolCall(f"c{n}", "f", "{}") for n in range(3))
    messages = [Message("assistant", None, tool_calls=calls, seq=3), Message("user", "x", seq=4)]
    assert [(turn.first, turn.last) for turn in whole_turns(messages)] == [(1, 3), (4, 4)]
