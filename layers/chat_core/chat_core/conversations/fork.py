"""Forks: a conversation of its own that begins as another one did, up to an item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.conversations.resources import place_of
from chat_core.errors import CommitConflict, InvalidRequest, StoreUnavailable
from chat_core.keys import Address, new_conversation_id, new_incarnation
from chat_core.memory import merge_settings, parse_policy
from chat_core.messages import from_items
from chat_core.turns import check_budget, once, point_in, snapshot_head, snapshot_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat_core.history import Branches, Head, IdempotencyRecord
    from chat_core.hot import HotCopies
    from chat_core.turns import Keyed, Point, Sources

FORK_TRIES = 5
AFTER = "omoide.fork.after"


class ForkRequest(NamedTuple):
    """What is to be forked.

    Parameters
    ----------
    origin
        The conversation.
    after
        Id of the last item that is taken along; None: all are.
    metadata, memory
        The fork's own; None: the origin's.
    """

    origin: Address
    after: str | None = None
    metadata: Mapping[str, str] | None = None
    memory: Mapping[str, Any] | None = None


class Forks:
    """Makes forks.

    Parameters
    ----------
    sources, branches
        The source of truth, and what makes a conversation of another.
    hot
        The copies in the cache.
    default_memory
        Memory settings of a conversation that has none.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        sources: Sources,
        branches: Branches,
        hot: HotCopies,
        *,
        default_memory: Mapping[str, Any],
        clock: Callable[[], float],
    ) -> None:
        self._sources = sources
        self._branches = branches
        self._hot = hot
        self._default_memory = default_memory
        self._clock = clock

    async def fork(self, request: ForkRequest, keyed: Keyed | None = None) -> tuple[Head, bool]:
        """Fork a conversation, which stays as it is; tell whether this request had been done before.

        Raises
        ------
        NotFound
            If there is no such conversation.
        InvalidRequest
            If the item is none of it, there is too much up to there, or the memory settings are none that a policy has.
        IdempotencyKeyReused
            If the key came before with another request.
        """

        async def write() -> Head:
            for _ in range(FORK_TRIES):
                point = await self._point(request)
                head = self._head(request, point)
                record = snapshot_record(keyed, head, self._clock()) if keyed else None
                try:
                    made = await self._branches.branch(point.origin, head, point.items, None, record=record)
                except CommitConflict:
                    continue
                await self._hot.refresh(made)
                return head
            raise StoreUnavailable("The conversation changes too fast to be forked.", retry_after_ms=1_000)

        return await once(self._sources.history, keyed, write, _snapshot)

    async def _point(self, request: ForkRequest) -> Point:
        origin = await self._sources.history.head(request.origin)
        seq = origin.seq
        if request.after is not None:
            place = place_of(origin, request.after)
            found = await self._sources.history.items(origin, place, place) if place else ()
            if place is None or not found or found[0].item.get("id") != request.after:
                raise InvalidRequest("The conversation has no such item.", param=AFTER, code="item_not_found")
            seq = place
        return await point_in(self._sources, origin, seq, param=AFTER)

    def _head(self, request: ForkRequest, point: Point) -> Head:
        address = Address(request.origin.user, new_conversation_id())
        own: dict[str, Any] = {"metadata": point.origin.metadata if request.metadata is None else request.metadata}
        if request.memory is not None:
            own["memory"] = request.memory
        head = point.place(address, new_incarnation(), self._clock(), **own)
        pinned = from_items([head.system])[0] if head.system else None
        check_budget(parse_policy(merge_settings(self._default_memory, head.memory)), pinned)
        return head


async def _snapshot(record: IdempotencyRecord, _head: Head) -> Head:
    return snapshot_head(record)
