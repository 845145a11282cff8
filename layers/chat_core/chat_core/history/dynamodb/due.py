"""The row that says that there is work for long-term memory: the table's stream starts its function by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.history.dynamodb.heads import activity
from chat_core.history.dynamodb.rows import expiry, key, number, text
from chat_core.keys import DUE, DUE_OWNER, partition_key

if TYPE_CHECKING:
    from chat_core.history.records import Head


def due_action(head: Head, now: float, *, expires_at: int | None, sort_key: str = DUE) -> dict[str, Any]:
    """Write the row, under a new token; on the index it stands among all that is due, by age.

    Parameters
    ----------
    now
        Since when there is work; in the future: from then on.
    sort_key
        With another than `DUE` no function is started: the schedule alone looks at it.
    """
    row = {
        **key(partition_key(head.address), sort_key),
        "incarnation": text(head.incarnation),
        "token": text(uuid4().hex),
        "since": number(now),
        "owner": text(DUE_OWNER),
        "activity": text(activity(now, head.conversation)),
        **expiry(expires_at),
    }
    return {"Put": {"Item": row}}
