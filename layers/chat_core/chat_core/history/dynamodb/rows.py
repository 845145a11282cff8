"""The rows of the table.

=============  ============================================  ====================================================
partition      sort key                                      row
=============  ============================================  ====================================================
conversation   ``head``                                      the head; ``owner`` and ``activity`` put it on the index
conversation   ``item#{seq}``                                an item: its JSON, or how it was split
conversation   ``item#{seq}#{n}``                            a piece of an item too large for one row
conversation   ``idempotency#{milliseconds}#{digest}``       where an idempotency record of the conversation is
the record's   ``idempotency``                               an idempotency record
conversation   ``memory``                                    what long-term memory holds of it
conversation   ``due``                                       that there is work for long-term memory; on the index, too
conversation   ``quiet``                                     that there is as soon as it has come to rest; there, too
responses      ``response#{seq}``                            the answer of a turn but its items, by its first one
responses      ``conversation``                              which conversation the incarnation is
=============  ============================================  ====================================================

A head that no list shows (begun, or half erased) is on the index under `chat_core.keys.unfinished_owner`; it expires by
itself where it leads to no other row.
``responses`` is a partition for each incarnation, of the user's.
Every row tells its conversation's incarnation: one of another incarnation than the head's is not there for a reader.
``expires_at`` is the table's TTL attribute. DynamoDB removes expired rows late, so readers look at it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.history.dynamodb.packing import Attribute, packed_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = 86_400
Row = dict[str, Any]
"""A row by attribute, each value with its DynamoDB type, as DynamoDB's API has it."""


def key(pk: str, sk: str) -> Row:
    """Write a row's key."""
    return {"pk": text(pk), "sk": text(sk)}


def text(value: str) -> Attribute:
    """Write a text."""
    return {"S": value}


def number(value: float) -> Attribute:
    """Write an integer or a float; both come back exactly."""
    return {"N": repr(value)}


def expiry(expires_at: int | None) -> Row:
    """Write the TTL attribute, if the row expires at all."""
    return {} if expires_at is None else {"expires_at": number(expires_at)}


def earliest(*times: int | None) -> int | None:
    """Tell the first of some times, None for never."""
    return min((time for time in times if time is not None), default=None)


def read_text(row: Mapping[str, Attribute], name: str) -> str:
    """Read a text; empty where there is none."""
    return str(row.get(name, {}).get("S", ""))


def read_int(row: Mapping[str, Attribute], name: str) -> int:
    """Read an integer; 0 where there is none."""
    return int(row.get(name, {}).get("N", 0))


def read_seconds(row: Mapping[str, Attribute], name: str) -> float:
    """Read a time in seconds since the epoch; 0 where there is none."""
    return float(row.get(name, {}).get("N", 0))


def is_expired(row: Mapping[str, Attribute], now: float) -> bool:
    """Whether the row counts as gone though DynamoDB may not have removed it yet."""
    return "expires_at" in row and read_seconds(row, "expires_at") <= now


def row_bytes(row: Mapping[str, Attribute]) -> int:
    """Count a row's bytes roughly as DynamoDB does."""
    return sum(len(name) + packed_bytes(value) for name, value in row.items())
