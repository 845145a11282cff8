"""What a branch's head knows of the conversations that it comes from."""

from __future__ import annotations

from chat_core.history import Head
from chat_core.keys import Address
from chat_core.turns.branching import ORIGINS, Point

HERE = Address("user", "here")


def branched(origin: Head, seq: int, name: int) -> Head:
    return Point(origin, seq, (), ()).place(HERE, f"{name:016x}", 0.0)


def test_a_branch_of_a_branch_knows_both_as_far_as_it_goes_along_with_them() -> None:
    first = branched(Head(HERE, "a" * 16, seq=20), 12, 1)
    second = branched(first, 8, 2)
    assert first.origins == {"a" * 16: 12}
    assert second.origins == {"a" * 16: 8, f"{1:016x}": 8}


def test_of_a_long_line_the_nearest_are_known() -> None:
    head = Head(HERE, "a" * 16, seq=99)
    for name in range(ORIGINS + 3):
        head = branched(head, 99 - name, name)
    assert list(head.origins) == [f"{name:016x}" for name in range(2, ORIGINS + 2)]
    assert set(head.origins.values()) == {head.seq}
