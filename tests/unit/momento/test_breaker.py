from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_core.momento.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(failures=3, open_seconds=10.0, clock=clock)
    for _ in range(3):
        assert breaker.allows()
        breaker.failed()
    return breaker


def test_failures_in_a_row_open_it_for_a_while() -> None:
    clock = Clock()
    breaker = opened(clock)
    assert not breaker.allows()
    clock.now = 9.9
    assert not breaker.allows()
    clock.now = 10.0
    assert breaker.allows()


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(failures=3)
    for _ in range(5):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.allows()


def test_one_call_probes_and_its_end_decides() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10.0
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    breaker.failed()
    clock.now = 19.9
    assert not breaker.allows()
    clock.now = 20.0
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True, True, True]


def test_a_probe_that_never_ends_is_followed_by_another() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = 10.0
    assert breaker.allows()
    clock.now = 20.0
    assert breaker.allows()


@given(st.lists(st.tuples(st.floats(0, 30), st.booleans()), max_size=60))
def test_while_calls_fail_few_are_tried_and_one_success_closes_it(steps: list[tuple[float, bool]]) -> None:
    clock = Clock()
    breaker = Breaker(failures=3, open_seconds=10.0, clock=clock)
    row: list[float] = []
    for pause, succeeds in steps:
        clock.now += pause
        if not breaker.allows():
            assert len(row) >= 3
            continue
        if len(row) >= 3:
            assert clock.now >= row[-1] + 10.0
        if succeeds:
            breaker.succeeded()
            row = []
            assert breaker.allows()
        else:
            breaker.failed()
            row.append(clock.now)
