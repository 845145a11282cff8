"""Commits: one transaction of the items, the head and the idempotency record, conditional on the head.

What is too much for a transaction goes ahead in stages: rows behind the head's seq, which no reader looks at, each
stage conditional on the same head. The last transaction moves the head and so shows them all at once. Rows that a
killed turn left behind the seq are overwritten by the next one.

A commit whose answer was lost is looked up: it was made if the head has moved and the first item is this turn's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import CommitConflict, IdempotencyKeyReused, RequestTooLarge, StoreUnavailable, no_conversation
from chat_core.history.dynamodb.batches import BATCH_ROWS, batches
from chat_core.history.dynamodb.due import due_action
from chat_core.history.dynamodb.heads import COPIES, UNFOLDED, activity, anchor_members, head_row, last_turn, owner
from chat_core.history.dynamodb.items import item_rows
from chat_core.history.dynamodb.memory_row import memory_renewal
from chat_core.history.dynamodb.packing import packed, packed_bytes
from chat_core.history.dynamodb.records import record_rows
from chat_core.history.dynamodb.responses import name_row, response_row
from chat_core.history.dynamodb.rows import Row, earliest, expiry, key, number, read_int, read_text, row_bytes, text
from chat_core.history.dynamodb.table import Cancelled, expressed
from chat_core.history.records import LastTurn
from chat_core.history.responses import StoredResponse
from chat_core.keys import HEAD, QUIET, item_sort_key, partition_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chat_core.history.dynamodb.packing import Attribute
    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Commit, Head, IdempotencyRecord
    from chat_core.messages import Item

_PINNED_BYTES = 8_000
"""A larger system message stays with its item: the head is rewritten twice a turn, and paid for by its size."""

_VALUE_BYTES = 150_000
"""Most bytes of a frame or a system message in a row, compressed."""

_CREATION_BYTES = 3_900_000
"""So that a record fits beside it: DynamoDB takes 4 MB at once."""

_RECORD_ACTION = 1


def advanced(head: Head, commit: Commit, now: float) -> Head:
    """Tell the head after a commit."""
    count = len(commit.turn.items)
    seq = head.seq + count
    last = head.last
    if commit.frame:
        last = LastTurn(commit.fingerprint, now, head.seq + 1, seq, commit.inputs)
    return replace(
        head,
        seq=seq,
        updated_at=now,
        items=head.items + count,
        messages=head.messages + commit.messages,
        turns=head.turns + bool(commit.frame),
        system=commit.system,
        anchor=commit.anchor,
        title=commit.title,
        last=last,
        unfolded=head.unfolded + commit.unfolded,
    )


async def append(table: Table, head: Head, new: Head, commit: Commit, *, token: str | None) -> None:
    """Write a commit that makes ``new`` of ``head``; see `chat_core.history.History`."""
    now = new.updated_at
    expires_at = earliest(head.ends_at, table.expiry(now))
    pk = partition_key(head.address)
    own_head = {"Key": key(pk, HEAD)}
    check = {"ConditionCheck": {**own_head, **_fenced(head, token)}}
    update = {"Update": {**own_head, **_head_update(head, new, commit, token=token, expires_at=expires_at)}}
    records = [*record_actions(commit.record, now), *_beside(head, commit, now, expires_at=expires_at)]
    records += memory_renewal(table, head, new)
    rows = item_rows(pk, head.incarnation, commit.turn, first_seq=head.seq + 1, expires_at=expires_at)
    *stages, rest = ([{"Put": {"Item": row}} for row in batch] for batch in batches(rows, row_bytes))
    try:
        for number_of, stage in enumerate(stages):
            lasting = not number_of and not head.seq
            await table.transact([_lasting(own_head, head, token) if lasting else check, *stage])
        await table.transact([update, *records, *rest])
    except (Cancelled, StoreUnavailable) as error:
        row = await table.get(pk, HEAD)
        if row is None or read_text(row, "incarnation") != head.incarnation:
            raise no_conversation() from None
        if read_int(row, "seq") >= new.seq and await _is_first_of(table, pk, head, commit):
            return
        raise refusal(error) from None


def creation(
    head: Head, new: Head, commit: Commit | None, *, record: IdempotencyRecord | None, expires_at: int | None
) -> list[dict[str, Any]]:
    """Write a conversation, with its first items if there are any, all in one transaction: nobody was told its id yet.

    Raises
    ------
    RequestTooLarge
        If a transaction does not take them.
    """
    row, items = head_row(new, provisional=False, expires_at=expires_at), []
    beside = record_actions(record, new.updated_at)
    if commit is not None:
        row |= _pinned(head, commit) or {}
        row |= dict(zip(UNFOLDED, (number(new.unfolded.bytes), number(new.unfolded.messages)), strict=True))
        beside += _beside(head, commit, new.updated_at, expires_at=expires_at)
        pk = partition_key(head.address)
        items = item_rows(pk, head.incarnation, commit.turn, first_seq=1, expires_at=expires_at)
    if len(items) > BATCH_ROWS or sum(map(row_bytes, (row, *items))) > _CREATION_BYTES:
        message = "The first items are too large: create the conversation without them, then add them."
        raise RequestTooLarge(message, param="items")
    once = expressed({}, ConditionExpression="attribute_not_exists(#pk)")
    return [{"Put": {"Item": row, **once}}, *beside, *({"Put": {"Item": one}} for one in items)]


def _beside(head: Head, commit: Commit, now: float, *, expires_at: int | None) -> list[dict[str, Any]]:
    """Write what there is to do then, and the turn's response."""
    actions = []
    if commit.due:
        actions.append(due_action(head, now, expires_at=expires_at))
    if commit.quiet_from is not None:
        actions.append(due_action(head, commit.quiet_from, expires_at=expires_at, sort_key=QUIET))
    return [*actions, *response_actions(head, commit, expires_at=expires_at)]


def _lasting(own_head: Row, head: Head, token: str | None) -> Row:
    """Check the head, and let it last as long as the rows that are staged behind it: it alone leads to them."""
    return {"Update": {**own_head, **_fenced(head, token, UpdateExpression="REMOVE #expires_at")}}


async def _is_first_of(table: Table, pk: str, head: Head, commit: Commit) -> bool:
    row = await table.get(pk, item_sort_key(head.seq + 1))
    return row is not None and read_text(row, "turn_id") == commit.turn.id


def _head_update(head: Head, new: Head, commit: Commit, *, token: str | None, expires_at: int | None) -> Row:
    """Write the change of the head; what a commit does not change, others may have changed meanwhile."""
    pinned = _pinned(head, commit)
    changed: Row = {
        "seq": number(new.seq),
        "updated_at": number(new.updated_at),
        **anchor_members(new.anchor),
        "owner": text(owner(head)),
        "activity": text(activity(new.updated_at, head.conversation)),
        **expiry(expires_at),
        **(pinned or {}),
    }
    if not head.title:
        # Else it stays what it is: who deleted the item that it was made of has made another.
        changed["title"] = text(new.title)
    if commit.frame and new.last:
        changed["last"] = last_turn(new.last)
    gone = {"provisional", COPIES, "expires_at"} | ({"system", "system_seq"} if pinned is not None else set())
    if token is not None:
        gone |= {"lease_token", "lease_expires_at", "lease_key"}
    added = {"items": len(commit.turn.items), "messages": commit.messages, "turns": int(bool(commit.frame))}
    added |= dict(zip(UNFOLDED, (commit.unfolded.bytes, commit.unfolded.messages), strict=True))
    update = " ".join(
        [
            "SET " + ", ".join(f"#{name} = :new_{name}" for name in changed),
            "REMOVE " + ", ".join(f"#{name}" for name in sorted(gone - set(changed))),
            "ADD " + ", ".join(f"#{name} :added_{name}" for name in added),
        ]
    )
    values = {f"new_{name}": value for name, value in changed.items()}
    values |= {f"added_{name}": number(value) for name, value in added.items()}
    return _fenced(head, token, values, UpdateExpression=update)


def _fenced(head: Head, token: str | None, values: Row | None = None, **expressions: str) -> Row:
    """Make an action conditional on the head as it was read, its memory settings too, and on the lease if any."""
    condition = "#incarnation = :incarnation AND #seq = :seq"
    condition += " AND (#memory = :memory OR attribute_not_exists(#memory))"
    own = {"incarnation": text(head.incarnation), "seq": number(head.seq), "memory": packed(dict(head.memory))}
    if token is not None:
        condition += " AND #lease_token = :token"
        own["token"] = text(token)
    return expressed({**(values or {}), **own}, ConditionExpression=condition, **expressions)


def _pinned(head: Head, commit: Commit) -> Row | None:
    """Write the pinned system message, or which item it is if it is large; None if it stays what it is."""
    if commit.system == head.system:
        return None
    return pinned_members(commit.system, enumerate(commit.turn.items, head.seq + 1)) if commit.system else {}


def pinned_members(system: Item, said: Iterable[tuple[int, Item]]) -> Row:
    """Write a system message, or which of the items it is if it is large."""
    value = packed(system)
    if packed_bytes(value) > _PINNED_BYTES:
        for place, item in said:
            if {name: value for name, value in item.items() if name != "id"} == system:
                return {"system_seq": number(place)}
    return {"system": _checked(value)}


def record_actions(record: IdempotencyRecord | None, now: float) -> list[dict[str, Any]]:
    """Write a record where there is none that holds, and the pointer to it; nothing for None."""
    if record is None:
        return []
    row, pointer = record_rows(record, now)
    condition = "attribute_not_exists(#pk) OR #expires_at <= :now"
    once = expressed({"now": number(now)}, ConditionExpression=condition)
    return [{"Put": {"Item": row, **once}}, {"Put": {"Item": pointer}}]


def response_actions(head: Head, commit: Commit, *, expires_at: int | None) -> list[dict[str, Any]]:
    """Write the turn's response, and the conversation's name beside it.

    The name is written with the first items, and again with all where they expire one after the other.
    """
    rows = []
    if head.ends_at is None and (not head.seq or expires_at is not None):
        rows.append(name_row(head.address, head.incarnation, expires_at=expires_at))
    if commit.frame:
        response = StoredResponse.of(head, commit)
        if expires_at:
            response = replace(response, expires_at=min(commit.kept_until, expires_at))
        row = response_row(response)
        _checked(row["frame"])
        rows.append(row)
    return [{"Put": {"Item": row}} for row in rows]


def _checked(value: Attribute) -> Attribute:
    if packed_bytes(value) > _VALUE_BYTES:
        raise RequestTooLarge("The system message, the instructions or the tools are too large to be stored.")
    return value


def refusal(error: Cancelled | StoreUnavailable) -> Exception:
    """Say why a transaction of the head, then a record, was not made."""
    if isinstance(error, StoreUnavailable):
        return error
    if _RECORD_ACTION in error.failed:
        return IdempotencyKeyReused("This idempotency key has been used before.")
    return CommitConflict("The conversation has moved on.")
