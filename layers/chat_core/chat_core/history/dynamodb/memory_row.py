"""How long the row of what is remembered lasts: as long as its conversation, which each commit prolongs.

It is renewed by the first commit of a day, and lasts to the end of the next one longer than the head as it was then:
so it is never gone before the head, and costs a turn nothing. A reader finds it by the head alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.history.dynamodb.rows import DAY, earliest, key, number, text
from chat_core.history.dynamodb.table import expressed
from chat_core.keys import MEMORY, partition_key

if TYPE_CHECKING:
    from chat_core.history.dynamodb.table import Table
    from chat_core.history.records import Head


def memory_expiry(table: Table, head: Head) -> int | None:
    """Tell until when the row lasts that is written beside a head, in seconds since the epoch; None: for ever."""
    return earliest(head.ends_at, table.expiry((head.updated_at // DAY + 2) * DAY))


def memory_renewal(table: Table, head: Head, new: Head) -> list[dict[str, Any]]:
    """Have the row last with a commit that makes ``new`` of ``head``, where there is one and it is time."""
    if table.lifetime is None or not head.folds or new.updated_at // DAY <= head.updated_at // DAY:
        return []
    values = {"expires_at": number(memory_expiry(table, new) or 0), "incarnation": text(head.incarnation)}
    update = "SET #expires_at = :expires_at, #incarnation = if_not_exists(#incarnation, :incarnation)"
    own = key(partition_key(head.address), MEMORY)
    return [{"Update": {"Key": own, **expressed(values, UpdateExpression=update)}}]
