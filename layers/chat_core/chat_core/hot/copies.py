"""The copies of a conversation in the cache: they follow each commit, and are healed from the truth."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from chat_core.errors import CacheUnavailable, ChatError, NotFound, no_conversation
from chat_core.history import stored_messages
from chat_core.hot.value import MemoryState, pack, unpack
from chat_core.messages import element, fitting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.history import Head, History
    from chat_core.hot.store import MemoryStore
    from chat_core.keys import Address
    from chat_core.messages import Message

READ_TIMEOUT = 0.25
WRITE_TIMEOUT = 0.25
REWRITE_TIMEOUT = 1.0
NO_STATE = b"\x00"
"""A memory value that nobody believes."""


class HotReport(TypedDict):
    """``hot`` of a context: how many messages the cache has, and until when, in seconds since the epoch."""

    messages: int
    expires_at: int | None


class Known(NamedTuple):
    """What a turn knows of its conversation's copies.

    Parameters
    ----------
    state
        The memory value, or None.
    reachable
        Whether the cache answered. Where it did not, the turn leaves the copies alone: they are behind then, which
        the next turn sees and heals.
    """

    state: MemoryState | None = None
    reachable: bool = True

    def believed(self, head: Head) -> Known:
        """Keep the memory value only if it was made of the history as it is now."""
        state = self.state
        if state is None or (state.incarnation, state.seq, state.edits) == (head.incarnation, head.seq, head.edits):
            return self
        return Known(None, self.reachable)


class HotCopies:
    """The hot list and the memory value of conversations.

    Every method goes on without the cache when it does not answer in time.

    Parameters
    ----------
    store
        The cache.
    history
        The truth that the copies are healed from.
    keep
        How many messages the hot list holds.
    """

    def __init__(self, store: MemoryStore, history: History, *, keep: int) -> None:
        self._store = store
        self._history = history
        self._keep = keep

    async def read(self, address: Address) -> Known:
        """Read the memory value, whatever state of the history it was made of."""
        try:
            value = await self._store.read_memory(address, timeout=READ_TIMEOUT)
        except CacheUnavailable:
            return Known(reachable=False)
        return Known(unpack(value) if value is not None else None)

    async def shown(self, head: Head) -> HotReport | None:
        """Tell what there is of the hot list; None if the cache does not answer. Nothing is written.

        Momento's SDK reads no expiry, so that it is told from the newest items: each commit writes the list.
        """
        try:
            messages = await self._store.history_length(head.address, timeout=READ_TIMEOUT)
        except CacheUnavailable:
            return None
        return {"messages": messages, "expires_at": int(head.updated_at + self._store.ttl) if messages else None}

    async def follow(
        self,
        before: Head,
        after: Head,
        messages: Sequence[Message],
        *,
        known: Known | None = None,
        kept: MemoryState | None = None,
    ) -> None:
        """Bring the copies up to a commit, list and value side by side, and look whether the commit still stands.

        Parameters
        ----------
        before, after
            The head that the commit was made on, and the one that it made.
        messages
            What the commit added.
        known
            The copies of ``before``, the value believed; None where they were not read.
        kept
            The memory value of ``after``, but for the sizes on the list; None leaves it to the next turn.

        Raises
        ------
        NotFound
            If the conversation was erased meanwhile: what was written of it is taken back.
        """
        known = known or Known()
        if not known.reachable:
            return
        if before.seq == 0 or known.state is not None:
            await self._append_and_write(after, messages, known=known, kept=kept)
        else:
            await self.rewrite(after, kept=kept)
        await self._take_back_unless_current(after)

    async def _append_and_write(
        self, after: Head, messages: Sequence[Message], *, known: Known, kept: MemoryState | None
    ) -> None:
        elements = [element(message) for message in messages]
        sizes = (*(known.state.hot_sizes if known.state else ()), *(len(one.encode()) for one in elements))
        keep = fitting(sizes, self._keep)
        # Cut no shorter than need be: what another wrote must show in the length.
        cut = self._keep if keep == len(sizes) else keep
        length, _ = await asyncio.gather(
            self._append(after, elements, keep=cut), self._write(after, kept, sizes[-keep:])
        )
        if length is None:
            # It may have been done or may yet be: the value goes, so that the next turn writes the list once more.
            await self.rewrite(after)
        elif length != keep:
            await self.rewrite(after, kept=kept)

    async def _append(self, head: Head, elements: Sequence[str], *, keep: int) -> int | None:
        """Append once and return the list's length, which a gap or a foreign element changes; None if unknown."""
        try:
            return await self._store.append_history(head.address, elements, keep=keep, timeout=WRITE_TIMEOUT)
        except CacheUnavailable:
            return None

    async def _write(self, head: Head, kept: MemoryState | None, sizes: Sequence[int]) -> None:
        """Write the memory value. Where it does not arrive the old one is behind the head and not believed."""
        value = NO_STATE
        if kept is not None:
            value = pack(replace(kept, hot_sizes=tuple(sizes)))
        with contextlib.suppress(CacheUnavailable):
            await self._put(head.address, value)

    async def _put(self, address: Address, value: bytes) -> None:
        await self._store.write_memory(address, value, timeout=WRITE_TIMEOUT)

    async def rewrite(self, head: Head, *, kept: MemoryState | None = None) -> None:
        """Write the hot list anew from the durable history, and then the memory value.

        Without ``kept`` the value goes first. Where the list cannot be written both go, so that the next turn heals.
        """
        try:
            if kept is None:
                await self._put(head.address, NO_STATE)
            stored = await self._history.tail(head, before=head.seq + 1, limit=self._keep)
            elements = [element(message) for message in stored_messages(stored)]
            sizes = [len(one.encode()) for one in elements]
            keep = fitting(sizes, self._keep)
            newest = elements[len(elements) - keep :]
            await self._store.replace_history(head.address, newest, timeout=REWRITE_TIMEOUT)
        except (CacheUnavailable, ChatError):
            await self.forget(head.address)
            return
        if kept is not None:
            await self._write(head, kept, sizes[len(sizes) - keep :])

    async def refresh(self, head: Head) -> None:
        """Write the copies anew after items were deleted.

        Raises
        ------
        NotFound
            If the conversation was erased meanwhile.
        """
        await self.rewrite(head)
        await self._take_back_unless_current(head)

    async def _take_back_unless_current(self, head: Head) -> None:
        """Look, after writing, whether the history is still the one written about.

        An erasure hides the head before it takes the copies: whoever finds the head after writing wrote before they
        are taken, and whoever does not takes them himself. Where another turn or a deletion came between, the
        copies may mix both, and the next turn makes them anew.
        """
        try:
            now = await self._history.head(head.address)
        except ChatError as error:
            await self.forget(head.address)
            if isinstance(error, NotFound):
                raise
            return
        if (now.incarnation, now.seq, now.edits) == (head.incarnation, head.seq, head.edits):
            return
        await self.forget(head.address)
        if now.incarnation != head.incarnation:
            raise no_conversation()

    async def forget(self, address: Address) -> bool:
        """Delete both copies, in two tries; tell whether the cache said that they are gone."""
        for _ in range(2):
            try:
                await self._store.forget(address, timeout=WRITE_TIMEOUT)
            except CacheUnavailable:
                continue
            return True
        return False
