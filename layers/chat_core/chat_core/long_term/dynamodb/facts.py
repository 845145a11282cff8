"""Facts in the user's own partition of the table."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Any

from chat_core.errors import CommitConflict, StoreUnavailable
from chat_core.history.dynamodb.batches import batches
from chat_core.history.dynamodb.heads import head_check
from chat_core.history.dynamodb.rows import Row, is_expired, key, number, read_int, read_text, row_bytes, text
from chat_core.history.dynamodb.table import Cancelled, expressed
from chat_core.keys import (
    HEAD,
    Address,
    correction_sort_key,
    facts_partition_key,
    facts_sort_key,
    partition_key,
    tombstone_sort_key,
)
from chat_core.long_term.dynamodb.fact_rows import (
    STATE,
    assertions_of,
    changing_action,
    correction_action,
    forgetting_action,
    inherited_row,
    is_found,
    read_known,
    rewritten,
    tombstone_action,
    without_items,
)
from chat_core.long_term.facts import Tombstone
from chat_core.long_term.facts.records import fact_digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from chat_core.history import Head
    from chat_core.history.dynamodb.table import Table
    from chat_core.long_term.fact_store import Known
    from chat_core.long_term.facts import Assertion, Fact
    from chat_core.long_term.facts.records import Moment

_TRIES = 5


class DynamoFactStore:
    """A `FactStore` in the table of the history.

    Parameters
    ----------
    table
        Of the history.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def of_conversation(self, head: Head) -> Known:
        """See `FactStore.of_conversation`."""
        user, address = head.address.user, head.address
        begins = (facts_sort_key(address), correction_sort_key(address), tombstone_sort_key(), STATE)
        found = await asyncio.gather(*(self._rows(user, begin) for begin in begins))
        rows = chain.from_iterable(found)
        here = (row for row in rows if not is_found(row) or _is_of(row, head.incarnation))
        return read_known(here, self._table)

    async def of_user(self, user: str) -> Known:
        """See `FactStore.of_user`."""
        return read_known(await self._rows(user, ""), self._table)

    async def correct(self, user: str, known: Known, fact: Fact, correction: Assertion) -> None:
        """See `FactStore.correct`; the conversation's next view is without what is corrected."""
        edits = await self._edited(user, _told_in([fact]))
        corrected = correction_action(user, correction, self._table)
        await self._transact([corrected, forgetting_action(user, known), *edits])

    async def forget(self, user: str, fact: Fact, moment: Moment) -> None:
        """See `FactStore.forget`; the next view of each conversation that told it is without it."""
        rows = await self._rows(user, "")
        known = read_known(rows, self._table)
        digests = {fact_digest(one.subject, one.predicate, one.object) for one in fact.said}
        stones = [tombstone_action(user, Tombstone(digest, moment)) for digest in sorted(digests)]
        told = [row for row in rows if "facts" in row]
        changed = [(row, action) for row in told if (action := _forgetting(row, digests, moment))]
        edits = await self._edited(user, _told_in([fact]) | {read_text(row, "conversation") for row, _ in changed})
        actions = [action for _, action in changed]
        await self._transact([forgetting_action(user, known), *stones, *edits, *actions])

    async def forget_all(self, user: str) -> int:
        """See `FactStore.forget_all`."""
        gone = 0
        for _ in range(_TRIES):
            rows = await self._rows(user, "")
            known = read_known(rows, self._table)
            told = [row for row in rows if "facts" in row]
            if not told:
                return gone
            edits = await self._edited(user, {one.conversation for one in known.assertions})
            await self._transact([forgetting_action(user, known), *edits])
            await self._removed(user, told)
            gone += len(known.assertions)
        raise StoreUnavailable("Others write facts of the same user.", retry_after_ms=1_000)

    async def without(self, head: Head, seqs: Collection[int]) -> Sequence[dict[str, Any]]:
        """Take the evidence of erased items out; see `DerivedRows`."""
        rows = await self._rows(head.address.user, facts_sort_key(head.address))
        touched = [
            row
            for row in rows
            if _is_of(row, head.incarnation)
            and any(read_int(row, "first") <= seq <= read_int(row, "last") for seq in seqs)
        ]
        actions = [action for row in touched if (action := without_items(row, seqs))]
        return [*actions, changing_action(head.address.user)] if actions else []

    async def inherited(self, origin: Head, head: Head) -> Sequence[Row]:
        """Take along what was said up to the branch, and how it was corrected; see `DerivedRows`."""
        user = head.address.user
        found = await self._rows(user, facts_sort_key(origin.address))
        corrected = await self._rows(user, correction_sort_key(origin.address))
        rows = [*(row for row in found if _is_of(row, origin.incarnation)), *corrected]
        return [copy for row in rows if (copy := inherited_row(row, head)) is not None]

    async def erase(self, head: Head) -> int:
        """See `FactStore.erase`."""
        rows = await self._all_rows(head.address.user, facts_sort_key(head.address))
        same = head_check(head.address, head.incarnation, {"edits": head.edits, "folds": head.folds})
        try:
            return await self._removed(head.address.user, rows, [same])
        except Cancelled:
            raise CommitConflict("The conversation has changed.") from None

    async def erase_conversation(self, address: Address, *, keep: str) -> int:
        """Remove all that a conversation told and how it was corrected, but what an incarnation told."""
        found = await self._all_rows(address.user, facts_sort_key(address))
        old = [row for row in found if read_text(row, "incarnation") != keep]
        begin = correction_sort_key(address)
        corrections = await self._all_rows(address.user, begin) if len(old) == len(found) else []
        return await self._removed(address.user, [*old, *corrections])

    async def erase_user(self, user: str) -> int:
        """See `FactStore.erase_user`; without the row that counts no fold that saw it may write."""
        gone = 0
        for _ in range(_TRIES):
            rows = await self._all_rows(user, "")
            if not rows:
                return gone
            gone += await self._removed(user, rows)
        raise StoreUnavailable("Others write facts of the same user.", retry_after_ms=1_000)

    async def _removed(self, user: str, rows: Sequence[Row], checks: Sequence[dict[str, Any]] = ()) -> int:
        """Delete rows, and tell with each batch of them that the user's facts have changed."""
        told = [row for row in rows if read_text(row, "sk") != STATE]
        for batch in batches(map(_removal, told), lambda _: 1):
            if batch:
                await self._table.transact([*checks, changing_action(user), *batch])
        for row in rows[len(told) :]:  # the last one by its key
            await self._table.delete(read_text(row, "pk"), read_text(row, "sk"))
        return len(rows)

    async def _rows(self, user: str, begin: str) -> list[Row]:
        now = self._table.clock()
        return [row for row in await self._all_rows(user, begin) if not is_expired(row, now)]

    async def _all_rows(self, user: str, begin: str) -> list[Row]:
        """Read rows, those that have expired and are still there, too."""
        asked = expressed(
            {"pk": text(facts_partition_key(user)), "first": text(begin or " "), "last": text(f"{begin}~")},
            KeyConditionExpression="#pk = :pk AND #sk BETWEEN :first AND :last",
        )
        rows: list[Row] = []
        start: Row | None = None
        while True:
            page, start = await self._table.query({**asked, "ConsistentRead": True}, start)
            rows += page
            if start is None:
                return rows

    async def _edited(self, user: str, conversations: Collection[str]) -> list[dict[str, Any]]:
        """Tell the conversations that told facts that no copy of them is to be believed any more."""
        keys = [key(partition_key(Address(user, name)), HEAD) for name in sorted(conversations) if name]
        heads = await self._table.get_all(keys) if keys else []
        return [
            {
                "Update": {
                    "Key": {"pk": row["pk"], "sk": row["sk"]},
                    **expressed(
                        {"one": number(1), "incarnation": row["incarnation"]},
                        UpdateExpression="ADD #edits :one",
                        ConditionExpression="#incarnation = :incarnation",
                    ),
                }
            }
            for row in heads
        ]

    async def _transact(self, actions: Sequence[dict[str, Any]]) -> None:
        try:
            for batch in batches(actions, _bytes):
                await self._table.transact(batch)
        except Cancelled:
            raise CommitConflict("What is known has changed.") from None


def _told_in(facts: Iterable[Fact]) -> set[str]:
    return {one.conversation for fact in facts for one in fact.said}


def _is_of(row: Row, incarnation: str) -> bool:
    return read_text(row, "incarnation") == incarnation


def _forgetting(row: Row, digests: Collection[str], moment: Moment) -> dict[str, Any] | None:
    """Take words out of a row that were said at or before a moment."""
    before = assertions_of(row)
    left = [
        one
        for one in before
        if one.moment > moment or fact_digest(one.subject, one.predicate, one.object) not in digests
    ]
    if len(left) == len(before):
        return None
    return rewritten(row, left) if is_found(row) else _removal(row)


def _removal(row: Row) -> dict[str, Any]:
    return {"Delete": {"Key": {"pk": row["pk"], "sk": row["sk"]}}}


def _bytes(action: dict[str, Any]) -> int:
    return row_bytes(action["Put"]["Item"]) if "Put" in action else 0
