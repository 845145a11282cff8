"""Calls without a conversation: answered through the cache, and stored for who may go on from them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.cache import Completed
from chat_core.errors import ChatError
from chat_core.history import StoredResponse
from chat_core.keys import new_incarnation, response_id
from chat_core.messages import from_items, stored_item, upstream_items
from chat_core.observability import Metric
from chat_core.timing import timed
from chat_core.turns.answer import answer_of, new_turn_id, with_ids
from chat_core.turns.item_references import dereferenced, is_reference
from chat_core.turns.retold import Places, Retold

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from chat_core.cache import CallReport, Listener, ModelCall, Replies, Reply
    from chat_core.deadline import Deadline
    from chat_core.messages import Item
    from chat_core.observability import Count
    from chat_core.turns.keeping import Keeping
    from chat_core.turns.sources import Sources

ANSWER_RESERVE = 1.0

FIRST = 1
"""Seq of a call's first item: a conversation that goes on from it has it there."""


class Calls:
    """Answers calls without a conversation.

    Parameters
    ----------
    replies
        The way to the model.
    sources
        Where answers are stored, and what references name.
    keeping
        How long.
    clock
        Seconds since the epoch.
    count
        Takes the metrics.
    """

    def __init__(
        self,
        replies: Replies,
        sources: Sources,
        keeping: Keeping,
        *,
        clock: Callable[[], float],
        count: Count,
    ) -> None:
        self._replies = replies
        self._history = sources.history
        self._responses = sources.responses
        self._keeping = keeping
        self._clock = clock
        self._count = count

    async def run(
        self, call: ModelCall, deadline: Deadline, listener: Listener | None = None, *, store: bool = False
    ) -> Completed:
        """Answer a call.

        Parameters
        ----------
        listener
            Follows the answer as the model makes it.
        store
            Whether it is to be stored. Where that fails the answer says that it is not.
        """
        call = await self.dereferenced(call, deadline)
        if not (store and self._keeping.on):
            reply = await self._reply(call, deadline, listener)
            return Completed({**reply.response, **_own(reply, stored=False)}, reply.headers)
        incarnation, inputs = new_incarnation(), [stored_item(item) for item in items_of(call.body["input"])]
        name = response_id(incarnation, FIRST)
        if listener is not None:
            listener = Retold(listener, {"id": name, "store": True}, Places(incarnation, FIRST + len(inputs)))
        preparing = asyncio.ensure_future(self._prepare())
        try:
            reply = await self._reply(call, deadline, listener)
        except BaseException:
            preparing.cancel()
            raise
        output = [stored_item(item) for item in reply.response["output"]]
        frame = {member: value for member, value in reply.response.items() if member not in ("id", "output")}
        frame |= _own(reply, stored=True)
        now = self._clock()
        response = StoredResponse(
            user=call.user,
            incarnation=incarnation,
            first_seq=FIRST,
            last_seq=len(inputs) + len(output),
            inputs=len(inputs),
            frame=frame,
            turn_id=new_turn_id(),
            created_at=int(now),
            expires_at=self._keeping.until(now, shown=True),
            items=(*inputs, *output),
        )
        answer = answer_of(name, frame, with_ids(output, incarnation, FIRST + len(inputs)))
        return Completed({**answer, "store": await self._put(response, preparing)}, reply.headers)

    async def dereferenced(self, call: ModelCall, deadline: Deadline) -> ModelCall:
        """Replace references in a call's input by the user's own items that they name.

        Raises
        ------
        InvalidRequest
            As `chat_core.turns.item_references.dereferenced`.
        StoreUnavailable
            If they cannot be read.
        """
        given = call.body["input"]
        if isinstance(given, str) or not any(map(is_reference, given)):
            return call
        found = await deadline.stored(dereferenced(self._history, self._responses, call.user, given))
        sent = [each for item, one in zip(given, found, strict=True) for each in _sent(one, known=is_reference(item))]
        return replace(call, body={**call.body, "input": sent})

    async def _reply(self, call: ModelCall, deadline: Deadline, listener: Listener | None) -> Reply:
        return await self._replies.respond(call, timeout=deadline.remaining(reserve=ANSWER_RESERVE), listener=listener)

    async def _prepare(self) -> None:
        """Have ready what is needed to store the answer; where that fails the answer is not stored."""
        with suppress(Exception):
            await self._responses.prepare()

    async def _put(self, response: StoredResponse, preparing: Awaitable[None]) -> bool:
        try:
            with timed("store"):
                async with asyncio.timeout(self._keeping.timeout):
                    await preparing
                    await self._responses.put(response)
        except (ChatError, TimeoutError):
            self._count(Metric.RESPONSES_NOT_STORED)
            return False
        return True


def _sent(item: Item, *, known: bool) -> list[Item]:
    """Write an item as it goes upstream: what a reference stood for as the view of a turn has it."""
    return upstream_items(from_items([item])) if known else [item]


def _own(reply: Reply, *, stored: bool) -> dict[str, Any]:
    report: CallReport = {"cache": reply.cache}
    return {"store": stored, "omoide": report}


def items_of(given: str | list[Mapping[str, Any]]) -> list[Mapping[str, Any]] | list[Item]:
    """Read an input as items."""
    return [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
