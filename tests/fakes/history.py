"""The durable history in memory: what a `HistoryStore` promises, in few lines."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from chat_core.errors import (
    CommitConflict,
    ConversationLocked,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InvalidRequest,
    NotFound,
)
from chat_core.history.records import Head, IdempotencyKey, IdempotencyRecord, LastTurn, Lease, Page, StoredItem
from chat_core.keys import Address, item_id, item_prefix, new_incarnation
from chat_core.messages import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.history.records import Commit, Order
    from chat_core.messages.message import Item

RECORD_SECONDS = 86_400


@dataclass
class _Conversation:
    head: Head
    items: dict[int, StoredItem] = field(default_factory=dict)
    visible: bool = False


class InMemoryHistoryStore:
    """A `HistoryStore` for tests.

    Parameters
    ----------
    clock
        Gives the seconds since the epoch.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._conversations: dict[Address, _Conversation] = {}
        self._records: dict[tuple[str, IdempotencyKey], IdempotencyRecord] = {}

    async def take_lease(self, address: Address, lease: Lease, *, create: bool) -> Head:
        found = self._conversations.get(address)
        if (found is None or not found.visible) and not create:
            raise _no_conversation()
        if found is None:
            head = Head(address, new_incarnation(), created_at=int(self._clock()))
            found = self._conversations[address] = _Conversation(head)
        held = self._held(found)
        if held is not None:
            left = int((held.expires_at - self._clock()) * 1000) + 1
            if held.idempotency_key and held.idempotency_key == lease.idempotency_key:
                raise IdempotencyInProgress("The request with this key is still running.", retry_after_ms=left)
            raise ConversationLocked("Another turn is still running.", retry_after_ms=left)
        found.head = replace(found.head, lease=lease)
        return deepcopy(found.head)

    async def release_lease(self, address: Address, token: str) -> None:
        found = self._conversations.get(address)
        if found is None or found.head.lease is None or found.head.lease.token != token:
            return
        if found.visible:
            found.head = replace(found.head, lease=None)
        else:
            del self._conversations[address]

    async def commit(self, head: Head, commit: Commit, *, token: str | None) -> Head:
        found = self._conversations.get(head.address)
        if found is None or found.head.incarnation != head.incarnation:
            raise _no_conversation()
        lease = found.head.lease
        if commit.idempotency is not None and self._record(head.address.user, commit.idempotency) is not None:
            raise IdempotencyKeyReused("This idempotency key has been used before.")
        if found.head.seq != head.seq or (token is not None and (lease is None or lease.token != token)):
            raise CommitConflict
        now = self._clock()
        self._append(found, commit, now)
        if token is not None:
            found.head = replace(found.head, lease=None)
        if commit.idempotency is not None:
            self._records[head.address.user, commit.idempotency] = IdempotencyRecord(
                fingerprint=commit.fingerprint,
                conversation=head.conversation,
                incarnation=head.incarnation,
                first_seq=head.seq + 1,
                last_seq=found.head.seq,
                inputs=commit.inputs,
                frame=deepcopy(commit.frame),
                expires_at=int(now) + RECORD_SECONDS,
            )
        return deepcopy(replace(found.head, edits=head.edits))

    async def get_head(self, address: Address) -> Head:
        found = self._visible(address)
        return deepcopy(replace(found.head, lease=self._held(found)))

    async def tail(self, head: Head, *, before: int, limit: int) -> tuple[StoredItem, ...]:
        items = self._items(head, 1, before - 1)
        return items[max(len(items) - limit, 0) :]

    async def read_items(self, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        return self._items(head, first, last)

    async def idempotency_record(self, user: str, key: IdempotencyKey) -> IdempotencyRecord | None:
        return deepcopy(self._record(user, key))

    async def create_conversation(
        self,
        head: Head,
        commit: Commit | None,
        *,
        idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None = None,
    ) -> Head:
        if idempotency is not None and self._record(head.address.user, idempotency[0]) is not None:
            raise IdempotencyKeyReused("This idempotency key has been used before.")
        if head.address in self._conversations:
            raise CommitConflict
        now = self._clock()
        made = _Conversation(deepcopy(replace(head, updated_at=now)), visible=True)
        if commit is not None:
            self._append(made, commit, now)
        self._conversations[head.address] = made
        if idempotency is not None:
            self._records[head.address.user, idempotency[0]] = deepcopy(idempotency[1])
        return deepcopy(made.head)

    async def update_conversation(
        self,
        head: Head,
        *,
        metadata: Mapping[str, str] | None,
        memory: Mapping[str, Any] | None,
        idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None = None,
    ) -> Head:
        found = self._of(head)
        if idempotency is not None:
            if self._record(head.address.user, idempotency[0]) is not None:
                raise IdempotencyKeyReused("This idempotency key has been used before.")
            self._records[head.address.user, idempotency[0]] = deepcopy(idempotency[1])
        if metadata is not None:
            found.head = replace(found.head, metadata=dict(metadata))
        if memory is not None:
            found.head = replace(found.head, memory=deepcopy(dict(memory)), anchor=None)
        return deepcopy(replace(found.head, lease=self._held(found)))

    async def list_conversations(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        heads = [one.head for at, one in self._conversations.items() if at.user == user and one.visible]
        heads.sort(key=_activity, reverse=order == "desc")
        if after is not None:
            places = [place for place, head in enumerate(heads) if head.conversation == after]
            if not places:
                raise InvalidRequest("The cursor names no conversation of yours.", param="after")
            heads = heads[places[0] + 1 :]
        listed = (replace(head, seq=0, system=None, anchor=BEGINNING, edits=0, last=None, lease=None) for head in heads)
        return Page(deepcopy(tuple(listed)[:limit]), has_more=len(heads) > limit)

    async def list_items(
        self, head: Head, *, limit: int, after: int | None, order: Order, max_bytes: int
    ) -> Page[StoredItem]:
        if order == "asc":
            items = self._items(head, 1 if after is None else after + 1, head.seq)
        else:
            items = self._items(head, 1, head.seq if after is None else after - 1)[::-1]
        kept: list[StoredItem] = []
        size = 0
        for stored in items:
            size += len(_json({name: value for name, value in stored.item.items() if name != "id"}).encode())
            if kept and (len(kept) == limit or size > max_bytes):
                break
            kept.append(stored)
        return Page(tuple(kept), has_more=len(kept) < len(items))

    async def get_item(self, head: Head, seq: int) -> StoredItem:
        items = self._items(head, seq, seq)
        if not items:
            raise NotFound("There is no such item.")
        return items[0]

    async def delete_items(
        self,
        head: Head,
        seqs: Sequence[int],
        *,
        messages: int,
        unpin: bool = False,
        pinned: StoredItem | None = None,
        title: str | None = None,
    ) -> Head:
        found = self._of(head)
        if (unpin or title is not None) and found.head.seq != head.seq:
            raise CommitConflict
        there = {seq for seq in seqs if seq in found.items and seq <= head.seq}
        for seq in there:
            del found.items[seq]
        if there:
            now = found.head
            found.head = replace(
                now,
                items=now.items - len(there),
                messages=now.messages - messages,
                edits=now.edits + 1,
                system=_bare(pinned) if unpin else now.system,
                title=now.title if title is None else title,
            )
        return await self.get_head(head.address)

    async def erase(self, address: Address) -> Mapping[str, int]:
        found = self._conversations.pop(address, None)
        if found is None:
            raise _no_conversation()
        records = [key for key, record in self._records.items() if Address(key[0], record.conversation) == address]
        for key in records:
            del self._records[key]
        return {"conversations": 1, "items": len(found.items), "idempotency_records": len(records)}

    def _append(self, found: _Conversation, commit: Commit, now: float) -> None:
        head = found.head
        first = head.seq + 1
        for seq, item in enumerate(commit.turn.items, first):
            name = item_id(item_prefix(str(item.get("type", "message"))), head.incarnation, seq)
            shown = {"id": name, **deepcopy(item)}
            found.items[seq] = StoredItem(seq, commit.turn.id, commit.turn.created_at, shown)
        last = head.last
        seq = head.seq + len(commit.turn.items)
        if commit.frame:
            frame = deepcopy(commit.frame)
            last = LastTurn(commit.turn.id, commit.fingerprint, now, first, seq, commit.inputs, frame)
        found.visible = True
        found.head = replace(
            head,
            seq=seq,
            updated_at=now,
            items=head.items + len(commit.turn.items),
            messages=head.messages + commit.messages,
            turns=head.turns + bool(commit.frame),
            system=deepcopy(commit.system),
            anchor=commit.anchor,
            title=commit.title,
            last=last,
        )

    def _items(self, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        found = self._conversations.get(head.address)
        if found is None or found.head.incarnation != head.incarnation:
            return ()
        places = sorted(seq for seq in found.items if first <= seq <= min(last, head.seq))
        return tuple(deepcopy(found.items[seq]) for seq in places)

    def _held(self, found: _Conversation) -> Lease | None:
        lease = found.head.lease
        return lease if lease is not None and lease.expires_at > self._clock() else None

    def _visible(self, address: Address) -> _Conversation:
        found = self._conversations.get(address)
        if found is None or not found.visible:
            raise _no_conversation()
        return found

    def _of(self, head: Head) -> _Conversation:
        found = self._visible(head.address)
        if found.head.incarnation != head.incarnation:
            raise _no_conversation()
        return found

    def _record(self, user: str, key: IdempotencyKey) -> IdempotencyRecord | None:
        record = self._records.get((user, key))
        return record if record is not None and record.expires_at > self._clock() else None


def _bare(stored: StoredItem | None) -> Item | None:
    return None if stored is None else {name: value for name, value in stored.item.items() if name != "id"}


def _activity(head: Head) -> tuple[int, str]:
    return int(head.updated_at * 1000), head.conversation


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _no_conversation() -> NotFound:
    return NotFound("There is no such conversation.")
