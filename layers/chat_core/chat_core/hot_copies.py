"""The copies of a conversation in the cache: they follow each commit, and are healed from the truth."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chat_core.errors import CacheUnavailable, ChatError
from chat_core.formats.items import stored_messages
from chat_core.formats.langchain import element, fitting
from chat_core.memory.packed import MemoryState, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.memory import Kept
    from chat_core.messages import Message
    from chat_core.ports import Head, HistoryStore, MemoryStore

READ_TIMEOUT = 0.25
WRITE_TIMEOUT = 0.25
REWRITE_TIMEOUT = 1.0
CONNECT_EXTRA = 0.5


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

    def __init__(self, store: MemoryStore, history: HistoryStore, *, keep: int) -> None:
        self._store = store
        self._history = history
        self._keep = keep
        self._extra = CONNECT_EXTRA

    async def read(self, user: str, conversation: str) -> MemoryState | None:
        """Read the memory value; None when there is none that can be read."""
        try:
            value = await self._store.read_memory(user, conversation, timeout=READ_TIMEOUT + self._extra)
        except CacheUnavailable:
            return None
        self._extra = 0.0
        return unpack(value) if value is not None else None

    @staticmethod
    def believed(state: MemoryState | None, head: Head) -> MemoryState | None:
        """Give a memory value back if it was made of the history as it is now."""
        if state is None or (state.incarnation, state.seq, state.edits) != (head.incarnation, head.seq, head.edits):
            return None
        return state

    async def follow(
        self,
        user: str,
        before: Head,
        after: Head,
        messages: Sequence[Message],
        *,
        state: MemoryState | None = None,
        kept: Kept | None = None,
    ) -> None:
        """Bring the copies up to a commit, list and value side by side.

        Parameters
        ----------
        before, after
            The head that the turn read, and the one that it committed.
        messages
            What the commit added.
        state
            The memory value of ``before``, if it was believed.
        kept
            What the next turn's view may need; None leaves the value to the next turn.
        """
        elements = [element(message) for message in messages]
        followed = before.seq == 0 or state is not None
        in_order = after.seq == before.seq + (after.items - before.items)
        if not (followed and in_order):
            await self.rewrite(user, after, kept=kept)
            return
        sizes = (*(state.hot_sizes if state else ()), *(len(one.encode()) for one in elements))
        keep = fitting(sizes, self._keep)
        appended, written = await asyncio.gather(
            self._append(user, after, elements, keep=keep, expected=min(keep, len(sizes))),
            self._write(user, after, kept, sizes[-keep:]),
        )
        # Where neither arrived the old value is behind the head, and the next turn that reads it heals both.
        if written and not appended:
            await self.rewrite(user, after, kept=kept)

    async def _append(self, user: str, head: Head, elements: Sequence[str], *, keep: int, expected: int) -> bool:
        """Append, and tell whether the list is as long as it must be; a gap or a foreign element makes it another."""
        try:
            length = await self._store.append_history(
                user, head.conversation, elements, keep=keep, timeout=WRITE_TIMEOUT + self._extra
            )
        except CacheUnavailable:
            return False
        return length == expected

    async def _write(self, user: str, head: Head, kept: Kept | None, sizes: Sequence[int]) -> bool:
        """Write the memory value, and tell whether it is not behind the head now."""
        if kept is None:
            return False
        state = MemoryState(head.incarnation, head.seq, head.edits, kept, tuple(sizes))
        try:
            await self._store.write_memory(user, head.conversation, pack(state), timeout=WRITE_TIMEOUT + self._extra)
        except CacheUnavailable:
            return False
        return True

    async def rewrite(self, user: str, head: Head, *, kept: Kept | None = None) -> None:
        """Write the hot list anew from the durable history, and the memory value with it.

        Where that fails the value is taken away, so that the next turn heals both.
        """
        try:
            stored = await self._history.tail(user, head, before=head.seq + 1, limit=self._keep)
            elements = [element(message) for message in stored_messages(stored)]
            sizes = [len(one.encode()) for one in elements]
            keep = fitting(sizes, self._keep)
            await self._store.replace_history(user, head.conversation, elements[-keep:], timeout=REWRITE_TIMEOUT)
            await self._write(user, head, kept, sizes[-keep:])
        except (CacheUnavailable, ChatError):
            await self.forget(user, head.conversation)

    async def forget(self, user: str, conversation: str) -> bool:
        """Delete both copies; tell whether the cache said that they are gone."""
        try:
            await self._store.forget(user, conversation, timeout=WRITE_TIMEOUT + self._extra)
        except CacheUnavailable:
            return False
        return True
