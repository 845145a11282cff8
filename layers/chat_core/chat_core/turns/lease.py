"""The turn lease as a turn takes it: with a wait for the one that runs, and a word on when to come again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from chat_core import errors
from chat_core.history import Lease

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from chat_core.deadline import Deadline
    from chat_core.history import Head, IdempotencyKey, Leases
    from chat_core.keys import Address

LEASE_SECONDS = 30.0
"""How long a killed environment locks its conversation at most: who runs renews the lease."""

RENEWAL_SECONDS = 10.0
LEASE_GRACE = 3.0
"""Seconds that a lease outlives its function: nobody takes it from one that still runs."""

RELEASE_TIMEOUT = 3.0
FIRST_TURN_GUESS = 2.0
# A client's SDK obeys a wait of up to a minute; after longer turns it is as well off with half of one.
LONGEST_USUAL_TURN = 5.0
POLL_SECONDS = (0.05, 0.25)


class TurnLeases:
    """Takes leases and gives them back.

    Parameters
    ----------
    leases
        Where they are kept.
    lock_wait
        Seconds to wait for another turn of the conversation.
    clock
        Seconds since the epoch.
    """

    def __init__(self, leases: Leases, *, lock_wait: float, clock: Callable[[], float] = time.time) -> None:
        self._leases = leases
        self._lock_wait = lock_wait
        self._clock = clock
        self._usual_turn = FIRST_TURN_GUESS

    async def take(
        self,
        address: Address,
        deadline: Deadline,
        *,
        key: IdempotencyKey | None,
        create: bool,
        reserve: float,
    ) -> tuple[Head, str, bool]:
        """Take the lease of a conversation.

        Parameters
        ----------
        key
            The caller's, or None.
        create
            Whether a conversation that does not exist is to be made.
        reserve
            Seconds of the deadline that are not for waiting.

        Returns
        -------
        tuple
            The head, the lease's token, and whether it had to be waited for.

        Raises
        ------
        ConversationLocked, IdempotencyInProgress, NotFound, StoreUnavailable
            As `chat_core.history.Leases.take`; the first two tell when to come again.
        """
        token, key_digest = uuid4().hex, key.digest if key else ""
        waiting_ends = deadline.clock() + min(self._lock_wait, deadline.remaining(reserve=reserve))
        waited = False
        while True:
            lease = Lease(token, self._clock() + _seconds(deadline), key_digest)
            try:
                head = await deadline.stored(self._leases.take(address, lease, create=create))
            except errors.IdempotencyInProgress as error:
                error.retry_after_ms = self.come_again_ms()
                raise
            except errors.ConversationLocked as error:
                if deadline.clock() >= waiting_ends:
                    error.retry_after_ms = self.come_again_ms()
                    raise
                waited = True
                await asyncio.sleep(random.uniform(*POLL_SECONDS))  # noqa: S311 - spreads the waiters
            except errors.StoreUnavailable:
                # It may have been taken all the same.
                await self.release(address, lease.token, deadline, at_most=1.0)
                raise
            else:
                return head, lease.token, waited

    @asynccontextmanager
    async def renewed(self, address: Address, token: str, deadline: Deadline) -> AsyncIterator[None]:
        """Keep the lease while the block runs. A turn shorter than ten seconds pays nothing for it.

        Where it cannot be kept the turn goes on: its commit is the fence.
        """
        loop = asyncio.get_running_loop()
        renewing: list[asyncio.Task[None]] = []

        def begin() -> None:
            renewing.append(loop.create_task(self._renew(address, token, deadline)))

        # Most turns are over before: a timer costs less than a task.
        timer = loop.call_later(RENEWAL_SECONDS, begin)
        try:
            yield
        finally:
            timer.cancel()
            for task in renewing:
                task.cancel()

    async def _renew(self, address: Address, token: str, deadline: Deadline) -> None:
        kept = True
        while kept:
            with contextlib.suppress(errors.ChatError):
                kept = await deadline.stored(self._leases.renew(address, token, self._clock() + _seconds(deadline)))
            await asyncio.sleep(RENEWAL_SECONDS)

    async def release(
        self, address: Address, token: str, deadline: Deadline, *, at_most: float = RELEASE_TIMEOUT
    ) -> None:
        """Give the lease back. It expires by itself: one that stays only makes the next turn wait for that."""
        with contextlib.suppress(errors.ChatError):
            await deadline.stored(self._leases.release(address, token), at_most=at_most)

    def come_again_ms(self) -> int:
        """Draw a wait of one to six usual turns: a constant one would bring all waiters back at once."""
        return int(self._usual_turn * random.uniform(1, 6) * 1000)  # noqa: S311 - spreads the waiters

    def learn(self, seconds: float) -> None:
        """Take a turn's time into the mean of the usual one."""
        self._usual_turn += (min(seconds, LONGEST_USUAL_TURN) - self._usual_turn) / 4


def _seconds(deadline: Deadline) -> float:
    """Tell how long a lease lasts that is taken or renewed now."""
    return min(LEASE_SECONDS, deadline.remaining() + LEASE_GRACE)
