"""The rows of idempotency records: the record in its own partition, and its pointer in the conversation's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.history.dynamodb.packing import Attribute, packed, unpacked
from chat_core.history.dynamodb.rows import Row, key, number, read_int, read_text, text
from chat_core.history.records import IdempotencyRecord
from chat_core.keys import idempotency_partition_key, partition_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.history.records import IdempotencyKey

RECORD = "idempotency"
"""Sort key of a record, which is alone in its partition."""


def record_rows(record: IdempotencyRecord, now: float) -> tuple[Row, Row]:
    """Write a record, and the pointer by which an erasure of the conversation finds it."""
    pk = record_partition(record.key)
    shared: Row = {"incarnation": text(record.incarnation), "expires_at": number(record.expires_at)}
    row: Row = {
        **key(pk, RECORD),
        **shared,
        "fingerprint": text(record.fingerprint),
        "conversation": text(record.conversation),
        "first_seq": number(record.first_seq),
        "last_seq": number(record.last_seq),
        "inputs": number(record.inputs),
    }
    if record.snapshot:
        row["snapshot"] = packed(dict(record.snapshot))
    pointer_sk = f"{RECORD}#{int(now * 1000):015d}#{pk.rpartition('#')[2]}"
    return row, {**key(partition_key(record.address), pointer_sk), **shared, "record": text(pk)}


def record_partition(name: IdempotencyKey) -> str:
    """Tell the partition of a key's record."""
    return idempotency_partition_key(name.user, name.route, name.key)


def record_from_row(name: IdempotencyKey, row: Mapping[str, Attribute]) -> IdempotencyRecord:
    """Read a record."""
    return IdempotencyRecord(
        key=name,
        fingerprint=read_text(row, "fingerprint"),
        conversation=read_text(row, "conversation"),
        incarnation=read_text(row, "incarnation"),
        first_seq=read_int(row, "first_seq"),
        last_seq=read_int(row, "last_seq"),
        inputs=read_int(row, "inputs"),
        expires_at=read_int(row, "expires_at"),
        snapshot=unpacked(row["snapshot"])[0] if "snapshot" in row else {},
    )
