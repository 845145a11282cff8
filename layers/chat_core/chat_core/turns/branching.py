"""Branches: conversations that have the first items of another, and go their own way from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.errors import CommitConflict, InvalidRequest, StoreUnavailable, no_conversation
from chat_core.history import Head, stored_messages
from chat_core.keys import new_incarnation, unnamed_address
from chat_core.long_term import unfolded_by
from chat_core.memory import Earlier, pinned_item
from chat_core.messages import from_items
from chat_core.tokens import counter_for
from chat_core.turns.answer import title_of
from chat_core.turns.following import FOLLOW_RESERVE
from chat_core.turns.once import with_record
from chat_core.turns.past import Past
from chat_core.turns.up_to import sources_up_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.deadline import Deadline
    from chat_core.history import Commit, StoredItem
    from chat_core.keys import Address
    from chat_core.messages import Message
    from chat_core.turns.once import Keyed
    from chat_core.turns.parts import TurnParts
    from chat_core.turns.sources import Sources

BRANCH_ITEMS = 5_000
"""Most items that a branch takes along."""

BRANCH_TRIES = 5

ORIGINS = 8
"""Of so many conversations that a branch comes from the ids of items are known in it: the head has them all."""


class Point(NamedTuple):
    """Where a branch leaves its origin.

    Parameters
    ----------
    origin
        As it was read, before the items were.
    seq
        Place of the last item that both have.
    items, messages
        The origin's up to there.
    covered
        Seq up to which the origin's summary reaches that the branch takes along; 0: there is none.
    """

    origin: Head
    seq: int
    items: tuple[StoredItem, ...]
    messages: tuple[Message, ...]
    covered: int = 0

    @property
    def past(self) -> Past:
        """All of it, for a view."""
        return Past(self.messages, Earlier(whole=True, count=0, anchor=self._anchor))

    @property
    def _anchor(self) -> Any:
        return self.origin.anchor if self.seq == self.origin.seq else None

    @property
    def _origins(self) -> Mapping[str, int]:
        """The last of what both come from, and the origin itself."""
        all_of_them = {**self.origin.origins, self.origin.incarnation: self.seq}
        nearest = list(all_of_them.items())[-ORIGINS:]
        return {incarnation: min(seq, self.seq) for incarnation, seq in nearest}

    def place(
        self, address: Address, incarnation: str, now: float, *, ends_at: int | None = None, **own: Mapping[str, Any]
    ) -> Head:
        """Make the branch's head.

        Parameters
        ----------
        now
            Seconds since the epoch.
        ends_at
            See `Head`.
        own
            Its ``metadata`` and ``memory``, where they are not the origin's memory settings and none.
        """
        messages = self.messages
        without_ids = [replace(message, id="") for message in messages if message.role == "system"]
        outside = [message for message in messages if message.seq > self.covered]
        return Head(
            address,
            incarnation,
            seq=self.seq,
            created_at=int(now),
            updated_at=now,
            items=len(self.items),
            messages=len(messages),
            turns=len({message.turn_id for message in messages if message.role == "assistant"}),
            metadata=own.get("metadata", {}),
            memory=own.get("memory", self.origin.memory),
            system=pinned_item(without_ids, None),
            anchor=self._anchor,
            title=title_of(messages),
            unfolded=unfolded_by(outside, counter_for("").at_most),
            ends_at=ends_at,
            origins=self._origins,
        )

    def unnamed(self, now: float, seconds: int) -> Head:
        """Make the head of a branch that nobody names; its responses are kept for so many seconds."""
        incarnation = new_incarnation()
        address = unnamed_address(self.origin.address.user, incarnation)
        return self.place(address, incarnation, now, ends_at=end_of_unnamed(now, seconds))

    def head(self, place: Head) -> Head:
        """Tell the origin as it was at this point, as far as a view needs it."""
        return replace(self.origin, seq=self.seq, system=place.system, anchor=place.anchor, title=place.title)

    def sources(self, sources: Sources) -> Sources:
        """Tell what a view at this point is made of: nothing of what came later."""
        return sources_up_to(sources, self.origin, self.seq)


def end_of_unnamed(now: float, seconds: int) -> int:
    """Tell when a conversation ends that nobody has named.

    It is gone on with for as long as a response is kept; then a branch of it is made, so that each response finds all
    that came before it for as long as it is kept itself.
    """
    return int(now) + 2 * seconds


async def point_in(sources: Sources, origin: Head, seq: int, *, param: str) -> Point:
    """Read a conversation up to a point.

    Raises
    ------
    InvalidRequest
        Naming the parameter, if that is more than a branch takes along.
    """
    items = await sources.history.tail(origin, before=seq + 1, limit=BRANCH_ITEMS + 1)
    if len(items) > BRANCH_ITEMS:
        message = f"A branch takes along at most {BRANCH_ITEMS:,} items, and there are more up to this point."
        raise InvalidRequest(message, param=param, code="branch_too_long")
    memory = await sources_up_to(sources, origin, seq).long_term.read(origin) if origin.folds else None
    return Point(origin, seq, items, stored_messages(items), memory.covers_up_to if memory else 0)


async def branch_off(
    parts: TurnParts, point: Point, place: Head, commit: Commit, deadline: Deadline, *, keyed: Keyed | None
) -> tuple[Head, Head]:
    """Commit a turn on a branch, and return the branch's heads before and after it.

    Where something was taken out of the origin meanwhile, the branch is made without it.

    Raises
    ------
    NotFound
        If the origin was erased.
    IdempotencyKeyReused
        If another request with the key was faster.
    """
    history, now = parts.history, parts.clock()
    for _ in range(BRANCH_TRIES):
        making = parts.branches.branch(point.origin, place, point.items, commit)
        try:
            after = await deadline.stored(making, at_most=deadline.remaining(), reserve=FOLLOW_RESERVE)
        except CommitConflict:
            origin = await deadline.stored(history.head(point.origin.address), reserve=FOLLOW_RESERVE)
            if origin.incarnation != point.origin.incarnation:
                raise no_conversation() from None
            reading = point_in(parts.sources, origin, point.seq, param="previous_response_id")
            point = await deadline.stored(reading, at_most=deadline.remaining(), reserve=FOLLOW_RESERVE)
            place = point.place(place.address, place.incarnation, now, ends_at=place.ends_at)
            commit = with_record(commit_behind(commit, place), keyed, place, now)
        else:
            return replace(place, folds=after.folds), after
    raise StoreUnavailable("The conversation changes too fast to go on from.")


def commit_behind(commit: Commit, head: Head) -> Commit:
    """Make a commit that was meant for another head one for this head: what others changed stays changed."""
    return replace(
        commit,
        system=pinned_item(from_items(commit.turn.items[: commit.inputs]), head.system),
        anchor=None,
        title=head.title or commit.title,
    )
