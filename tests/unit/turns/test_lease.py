from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.deadline import Deadline
from chat_core.errors import ConversationLocked, StoreUnavailable
from chat_core.history import Lease
from chat_core.keys import Address
from chat_core.turns import TurnLeases
from chat_core.turns.lease import LEASE_SECONDS, LONGEST_USUAL_TURN
from tests.fakes import virtual_time
from tests.fakes.history import InMemoryTable
from tests.fakes.leases import InMemoryLeases

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Address("user", "chat")


class CountedLeases(InMemoryLeases):
    """Counts what is renewed; may fail to."""

    renewals = 0
    fails = False

    async def renew(self, address: Address, token: str, until: float) -> bool:
        self.renewals += 1
        if self.fails:
            raise StoreUnavailable("gone")
        return await super().renew(address, token, until)


def leases_of(clock: Callable[[], float]) -> tuple[CountedLeases, TurnLeases]:
    stored = CountedLeases(InMemoryTable(clock))
    return stored, TurnLeases(stored, lock_wait=0, clock=clock)


async def take(leases: TurnLeases, deadline: Deadline) -> str:
    _, token, _ = await leases.take(HERE, deadline, key=None, create=True, reserve=1)
    return token


async def is_locked(stored: CountedLeases, clock: Callable[[], float]) -> bool:
    try:
        await stored.take(HERE, Lease("probe", clock() + 1, ""), create=True)
    except ConversationLocked:
        return True
    return False


def test_a_turn_holds_its_lease_as_long_as_it_runs_and_a_killed_one_for_half_a_minute() -> None:
    async def main(clock: Callable[[], float]) -> None:
        stored, leases = leases_of(clock)
        deadline = Deadline.after(290, clock=clock)
        token = await take(leases, deadline)
        async with leases.renewed(HERE, token, deadline):
            for _ in range(24):
                await asyncio.sleep(11)
                assert await is_locked(stored, clock)
        await asyncio.sleep(LEASE_SECONDS + 1)
        assert not await is_locked(stored, clock)

    virtual_time.run(main)


def test_a_short_turn_renews_nothing() -> None:
    async def main(clock: Callable[[], float]) -> None:
        stored, leases = leases_of(clock)
        deadline = Deadline.after(290, clock=clock)
        async with leases.renewed(HERE, await take(leases, deadline), deadline):
            await asyncio.sleep(9.9)
        await asyncio.sleep(60)
        assert stored.renewals == 0

    virtual_time.run(main)


def test_a_lease_that_cannot_be_renewed_now_is_renewed_later_and_a_lost_one_never() -> None:
    async def main(clock: Callable[[], float]) -> None:
        stored, leases = leases_of(clock)
        deadline = Deadline.after(290, clock=clock)
        async with leases.renewed(HERE, await take(leases, deadline), deadline):
            stored.fails = True
            await asyncio.sleep(11)
            stored.fails = False
            await asyncio.sleep(24)
            assert (stored.renewals, await is_locked(stored, clock)) == (3, True)
            await stored.release(HERE, stored._table.rows[HERE].lease.token)  # type: ignore[union-attr]
            await asyncio.sleep(60)
            assert stored.renewals == 4

    virtual_time.run(main)


def test_a_lease_outlives_no_function_by_much() -> None:
    async def main(clock: Callable[[], float]) -> None:
        stored, leases = leases_of(clock)
        await take(leases, Deadline.after(5, clock=clock))
        await asyncio.sleep(7.9)
        assert await is_locked(stored, clock)
        await asyncio.sleep(0.2)
        assert not await is_locked(stored, clock)

    virtual_time.run(main)


@pytest.mark.parametrize("seconds", [0.5, 250.0])
def test_who_is_locked_out_is_told_to_come_again_within_half_a_minute(seconds: float) -> None:
    async def main(clock: Callable[[], float]) -> Any:
        _, leases = leases_of(clock)
        for _ in range(20):
            leases.learn(seconds)
        waits = [leases.come_again_ms() for _ in range(200)]
        assert min(waits) >= min(seconds, LONGEST_USUAL_TURN) * 1000 * 0.9
        assert max(waits) <= 6 * LONGEST_USUAL_TURN * 1000

    virtual_time.run(main)
