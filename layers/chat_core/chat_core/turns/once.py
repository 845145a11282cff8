"""Writing once under a caller's key: the first answer is recorded with the write, and given again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from chat_core.errors import IdempotencyKeyReused, no_conversation
from chat_core.history import Head, IdempotencyRecord

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from chat_core.history import Commit, History, IdempotencyKey

RECORD_SECONDS = 86_400
_SNAPSHOT = ("created_at", "updated_at", "metadata", "memory", "title", "items", "messages", "turns")

T = TypeVar("T")


class Keyed(NamedTuple):
    """A request with a key.

    Parameters
    ----------
    key
        The caller's.
    fingerprint
        SHA-256 of the request, hex: what names its object in the path is part of it.
    """

    key: IdempotencyKey
    fingerprint: str


async def find_record(history: History, keyed: Keyed) -> tuple[IdempotencyRecord, Head] | None:
    """Find what an earlier request under the key led to, with the conversation as it is now.

    Raises
    ------
    IdempotencyKeyReused
        If that was another request.
    NotFound
        If the conversation was erased since.
    """
    record = await history.record(keyed.key)
    if record is None:
        return None
    if record.fingerprint != keyed.fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key came before with another request.", param="Idempotency-Key")
    head = await history.head(record.address)
    if head.incarnation != record.incarnation:
        raise no_conversation()
    return record, head


async def once(
    history: History,
    keyed: Keyed | None,
    write: Callable[[], Awaitable[T]],
    replay: Callable[[IdempotencyRecord, Head], Awaitable[T]],
) -> tuple[T, bool]:
    """Write, or give the answer of the write that the key was used for, and tell whether that is so.

    Parameters
    ----------
    write
        Writes with the record, and raises `IdempotencyKeyReused` where there is one already.
    replay
        Makes the answer from the record.
    """
    if keyed is None:
        return await write(), False
    found = await find_record(history, keyed)
    if found is None:
        try:
            return await write(), False
        except IdempotencyKeyReused:
            # The same request, sent twice at once: the other one was faster.
            found = await find_record(history, keyed)
            if found is None:
                raise
    return await replay(*found), True


def with_record(commit: Commit, keyed: Keyed | None, head: Head, now: float) -> Commit:
    """Add the record of a request with a key to its commit behind a head."""
    if keyed is None:
        return commit
    record = IdempotencyRecord(
        key=keyed.key,
        fingerprint=keyed.fingerprint,
        conversation=head.conversation,
        incarnation=head.incarnation,
        first_seq=head.seq + 1,
        last_seq=head.seq + len(commit.turn.items),
        inputs=commit.inputs,
        expires_at=int(now) + RECORD_SECONDS,
    )
    return replace(commit, record=record)


def snapshot_record(keyed: Keyed, head: Head, now: float) -> IdempotencyRecord:
    """Make the record of a request that is answered with a conversation."""
    return IdempotencyRecord(
        key=keyed.key,
        fingerprint=keyed.fingerprint,
        conversation=head.conversation,
        incarnation=head.incarnation,
        first_seq=0,
        last_seq=0,
        inputs=0,
        expires_at=int(now) + RECORD_SECONDS,
        snapshot=_snapshot(head),
    )


def snapshot_head(record: IdempotencyRecord) -> Head:
    """Read the conversation as it was answered."""
    return Head(record.address, record.incarnation, **record.snapshot)


def _snapshot(head: Head) -> dict[str, Any]:
    return {name: getattr(head, name) for name in _SNAPSHOT}
