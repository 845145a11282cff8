"""The head row: how a `Head` is written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.history.dynamodb.packing import Attribute, packed, unpacked
from chat_core.history.dynamodb.rows import (
    Row,
    expiry,
    is_expired,
    key,
    number,
    read_int,
    read_seconds,
    read_text,
    text,
)
from chat_core.history.dynamodb.table import expressed
from chat_core.history.records import Head, LastTurn, Lease, Unfolded
from chat_core.keys import HEAD, Address, partition_key, unfinished_owner, unnamed_owner
from chat_core.messages import Anchor

if TYPE_CHECKING:
    from collections.abc import Mapping

INDEX = "by_activity"
"""A user's heads by last activity; it holds the attributes that `listed_head` reads, and ``expires_at``."""

COPIES = "copies"
"""Attribute of the head of an erased conversation that stays since copies of it remain elsewhere: it leads to them."""

_NUMBERS = (
    "seq",
    "created_at",
    "updated_at",
    "items",
    "messages",
    "turns",
    "edits",
)
UNFOLDED = ("unfolded", "unfolded_messages")
"""Bytes and messages of `Head.unfolded`."""

_NO_ANCHOR = Anchor(-1, 0)
"""What is written where there is none; a row that tells nothing has the beginning."""


def activity(now: float, conversation: str) -> str:
    """Write a conversation's place among its owner's: by time, and unique."""
    return f"{int(now * 1000):015d}#{conversation}"


def head_row(head: Head, *, provisional: bool, expires_at: int | None) -> Row:
    """Write the head of a new conversation; one that is provisional is where no list shows it."""
    row: Row = {
        **key(partition_key(head.address), HEAD),
        "conversation": text(head.conversation),
        "incarnation": text(head.incarnation),
        "title": text(head.title),
        "metadata": packed(dict(head.metadata)),
        "memory": packed(dict(head.memory)),
        **{name: number(getattr(head, name)) for name in _NUMBERS},
        **anchor_members(head.anchor),
        **expiry(expires_at),
    }
    if head.ends_at is not None:
        row["ends_at"] = number(head.ends_at)
    if head.origins:
        row["origins"] = packed(dict(head.origins))
    row["activity"] = text(activity(head.updated_at, head.conversation))
    if provisional:
        return row | {"provisional": {"BOOL": True}, "owner": text(unfinished_owner(head.address.user))}
    return row | {"owner": text(owner(head))}


def owner(head: Head) -> str:
    """Tell under whom the index keeps a conversation that is there."""
    return head.address.user if head.ends_at is None else unnamed_owner(head.address.user)


def unfolded_members(unfolded: Unfolded) -> Row:
    """Write what no fold has taken in."""
    return dict(zip(UNFOLDED, (number(unfolded.bytes), number(unfolded.messages)), strict=True))


def anchor_members(anchor: Anchor | None) -> Row:
    """Write where the memory window starts."""
    anchor = anchor or _NO_ANCHOR
    return {"window_start": number(anchor.seq), "window_position": number(anchor.position)}


def _anchor(row: Mapping[str, Attribute]) -> Anchor | None:
    anchor = Anchor(read_int(row, "window_start"), read_int(row, "window_position"))
    return None if anchor == _NO_ANCHOR else anchor


def last_turn(last: LastTurn) -> Attribute:
    """Write what is known of the last turn."""
    return packed({name: getattr(last, name) for name in LastTurn.__slots__})


def head_from_row(row: Mapping[str, Attribute], user: str) -> Head:
    """Read a head; a pinned system message that is elsewhere (`pinned_seq`) is not in it."""
    return Head(
        **_listed(row, user),
        seq=read_int(row, "seq"),
        system=_value(row, "system"),
        anchor=_anchor(row),
        edits=read_int(row, "edits"),
        folds=read_int(row, "folds"),
        unfolded=Unfolded(*(read_int(row, name) for name in UNFOLDED)),
        fold_after=read_seconds(row, "fold_after"),
        last=_last(row),
        ends_at=read_int(row, "ends_at") or None,
        origins=_value(row, "origins") or {},
    )


def listed_head(row: Mapping[str, Attribute], user: str) -> Head:
    """Read a head as the index holds it."""
    return Head(**_listed(row, user))


def _listed(row: Mapping[str, Attribute], user: str) -> dict[str, Any]:
    return {
        "address": Address(user, read_text(row, "conversation")),
        "incarnation": read_text(row, "incarnation"),
        "created_at": read_int(row, "created_at"),
        "updated_at": read_seconds(row, "updated_at"),
        "items": read_int(row, "items"),
        "messages": read_int(row, "messages"),
        "turns": read_int(row, "turns"),
        "metadata": _value(row, "metadata") or {},
        "memory": _value(row, "memory") or {},
        "title": read_text(row, "title"),
    }


def head_check(address: Address, incarnation: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """Check in a transaction that a head is of an incarnation and has these counts; one that was never made is 0."""
    values = {"incarnation": text(incarnation), **{name: number(count) for name, count in counts.items()}}
    same = [
        f"#{name} = :{name}" if count else f"(#{name} = :{name} OR attribute_not_exists(#{name}))"
        for name, count in counts.items()
    ]
    condition = " AND ".join(["#incarnation = :incarnation", *same])
    return {
        "ConditionCheck": {"Key": key(partition_key(address), HEAD), **expressed(values, ConditionExpression=condition)}
    }


def lease_from_row(row: Mapping[str, Attribute], now: float) -> Lease | None:
    """Read the lease of a head; None if nobody holds it or it has expired."""
    expires_at = read_seconds(row, "lease_expires_at")
    if "lease_token" not in row or expires_at <= now:
        return None
    return Lease(read_text(row, "lease_token"), expires_at, read_text(row, "lease_key"))


def is_provisional(row: Mapping[str, Attribute]) -> bool:
    """Whether the head is only a lease's, with nothing committed to it: readers see no conversation."""
    return "provisional" in row


def is_visible(row: Mapping[str, Attribute], now: float) -> bool:
    """Whether the head is there for readers."""
    return not is_provisional(row) and not is_expired(row, now)


def pinned_seq(row: Mapping[str, Attribute]) -> int:
    """Tell which item is the pinned system message where the head does not hold the message itself, else 0."""
    return read_int(row, "system_seq")


def _last(row: Mapping[str, Attribute]) -> LastTurn | None:
    last = _value(row, "last")
    return LastTurn(**{name: last[name] for name in LastTurn.__slots__}) if last else None


def _value(row: Mapping[str, Attribute], name: str) -> Any:
    return unpacked(row[name])[0] if name in row else None
