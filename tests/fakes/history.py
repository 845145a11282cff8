"""The durable history in memory: what the ports of `chat_core.history` promise, in few lines."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.errors import (
    CommitConflict,
    IdempotencyKeyReused,
    InvalidRequest,
    no_conversation,
)
from chat_core.history.records import (
    NOTHING_UNFOLDED,
    Head,
    IdempotencyKey,
    IdempotencyRecord,
    LastTurn,
    Lease,
    Page,
    StoredItem,
)
from chat_core.history.responses import StoredResponse
from chat_core.keys import Address, id_of, new_incarnation
from chat_core.long_term import Due
from chat_core.messages import BEGINNING
from tests.fakes.blocks import Blocks, take_out
from tests.fakes.said import Users, erase_told, take_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from chat_core.history.records import Commit, Deletion, Order
    from chat_core.history.store import Forget
    from chat_core.long_term import Memory
    from chat_core.long_term.store import DueKind
    from chat_core.messages import Item


@dataclass
class Row:
    """A conversation as it is kept."""

    head: Head
    items: dict[int, StoredItem] = field(default_factory=dict)
    lease: Lease | None = None
    visible: bool = False
    copied: bool = False


class InMemoryTable:
    """What the three stores below share.

    Parameters
    ----------
    clock
        Gives the seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.rows: dict[Address, Row] = {}
        self.records: dict[IdempotencyKey, IdempotencyRecord] = {}
        self.memories: dict[Address, Memory] = {}
        self.due: dict[tuple[Address, DueKind], Due] = {}
        self.responses: dict[tuple[str, str, int], StoredResponse] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.blocks: Blocks = {}
        self.users: Users = {}

    def put_due(self, address: Address, kind: DueKind = "due", *, since: float | None = None) -> None:
        self.due[address, kind] = Due(uuid4().hex, self.clock() if since is None else since, kind)

    def memory(self, head: Head) -> Memory | None:
        found = self.memories.get(head.address)
        return found if found is not None and found.incarnation == head.incarnation else None

    def visible(self, address: Address) -> Row:
        found = self.rows.get(address)
        if found is None or not found.visible:
            raise no_conversation()
        return found

    def of(self, head: Head) -> Row:
        found = self.visible(head.address)
        if found.head.incarnation != head.incarnation:
            raise no_conversation()
        return found

    def held(self, row: Row) -> Lease | None:
        return row.lease if row.lease is not None and row.lease.expires_at > self.clock() else None

    def items(self, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        found = self.rows.get(head.address)
        if found is None or found.head.incarnation != head.incarnation:
            return ()
        places = sorted(seq for seq in found.items if first <= seq <= min(last, head.seq))
        return tuple(deepcopy(found.items[seq]) for seq in places)

    def record(self, key: IdempotencyKey) -> IdempotencyRecord | None:
        record = self.records.get(key)
        return record if record is not None and record.expires_at > self.clock() else None

    def check_unused(self, record: IdempotencyRecord | None) -> None:
        if record is not None and self.record(record.key) is not None:
            raise IdempotencyKeyReused("This idempotency key has been used before.")

    def keep(self, record: IdempotencyRecord | None) -> None:
        if record is not None:
            self.records[record.key] = deepcopy(record)

    def append(self, row: Row, commit: Commit) -> None:
        head, now = row.head, self.clock()
        first = head.seq + 1
        for seq, item in enumerate(commit.turn.items, first):
            shown = {"id": id_of(item, head.incarnation, seq), **deepcopy(item)}
            row.items[seq] = StoredItem(seq, commit.turn.id, commit.turn.created_at, shown)
        last = head.last
        seq = head.seq + len(commit.turn.items)
        if commit.frame:
            self.keep_response(StoredResponse.of(head, commit))
            last = LastTurn(commit.fingerprint, now, first, seq, commit.inputs)
        row.visible, row.copied = True, False
        row.head = replace(
            head,
            seq=seq,
            updated_at=now,
            items=head.items + len(commit.turn.items),
            messages=head.messages + commit.messages,
            turns=head.turns + bool(commit.frame),
            system=deepcopy(commit.system),
            anchor=commit.anchor,
            title=head.title or commit.title,
            last=last,
            unfolded=head.unfolded + commit.unfolded,
        )
        self.names[head.address.user, head.incarnation] = head.conversation
        if commit.due:
            self.put_due(head.address)
        if commit.quiet_from is not None:
            self.put_due(head.address, "quiet", since=commit.quiet_from)

    def keep_response(self, response: StoredResponse) -> None:
        self.responses[response.user, response.incarnation, response.first_seq] = deepcopy(response)


class InMemoryHistory:
    """`chat_core.history.History` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table

    async def head(self, address: Address) -> Head:
        return deepcopy(self._table.visible(address).head)

    async def tail(self, head: Head, *, before: int, limit: int) -> tuple[StoredItem, ...]:
        items = self._table.items(head, 1, before - 1)
        return items[max(len(items) - limit, 0) :]

    async def items(self, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        return self._table.items(head, first, last)

    async def items_at(self, head: Head, seqs: Collection[int]) -> tuple[StoredItem, ...]:
        return tuple(item for item in self._table.items(head, 1, head.seq) if item.seq in seqs)

    async def commit(self, head: Head, commit: Commit, *, token: str | None) -> Head:
        found = self._table.rows.get(head.address)
        if found is None or found.head.incarnation != head.incarnation:
            raise no_conversation()
        self._table.check_unused(commit.record)
        fenced = token is None or (found.lease is not None and found.lease.token == token)
        if not fenced or (found.head.seq, found.head.memory) != (head.seq, head.memory):
            raise CommitConflict
        self._table.append(found, commit)
        self._table.keep(commit.record)
        if token is not None:
            found.lease = None
        return deepcopy(replace(found.head, edits=head.edits))

    async def record(self, key: IdempotencyKey) -> IdempotencyRecord | None:
        return deepcopy(self._table.record(key))


class InMemoryConversations:
    """`chat_core.history.ConversationStore` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table

    async def create(self, head: Head, commit: Commit | None, *, record: IdempotencyRecord | None = None) -> Head:
        self._table.check_unused(record)
        if head.address in self._table.rows:
            raise CommitConflict
        made = Row(deepcopy(replace(head, updated_at=self._table.clock())), visible=True)
        if commit is not None:
            self._table.append(made, commit)
        self._table.rows[head.address] = made
        self._table.keep(record)
        return deepcopy(made.head)

    async def recent(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        heads = [one.head for at, one in self._table.rows.items() if at.user == user and one.visible]
        heads = [head for head in heads if head.ends_at is None]
        heads.sort(key=_activity, reverse=order == "desc")
        if after is not None:
            places = [place for place, head in enumerate(heads) if head.conversation == after]
            if not places:
                raise InvalidRequest("The cursor names no conversation of yours.", param="after")
            heads = heads[places[0] + 1 :]
        bare: dict[str, Any] = {"seq": 0, "system": None, "anchor": BEGINNING, "edits": 0, "last": None, "folds": 0}
        listed = (replace(head, **bare, unfolded=NOTHING_UNFOLDED, fold_after=0) for head in heads)
        return Page(deepcopy(tuple(listed)[:limit]), has_more=len(heads) > limit)

    async def unfinished(self, user: str) -> tuple[Address, ...]:
        unlisted = (at for at, one in self._table.rows.items() if not one.visible or one.head.ends_at is not None)
        return tuple(at for at in unlisted if at.user == user)

    async def page(
        self, head: Head, *, limit: int, after: int | None, order: Order, max_bytes: int
    ) -> Page[StoredItem]:
        if order == "asc":
            items = self._table.items(head, 1 if after is None else after + 1, head.seq)
        else:
            items = self._table.items(head, 1, head.seq if after is None else after - 1)[::-1]
        kept: list[StoredItem] = []
        size = 0
        for stored in items:
            size += len(_json({name: value for name, value in stored.item.items() if name != "id"}).encode())
            if kept and (len(kept) == limit or size > max_bytes):
                break
            kept.append(stored)
        return Page(tuple(kept), has_more=len(kept) < len(items))

    async def update(
        self,
        head: Head,
        *,
        metadata: Mapping[str, str] | None,
        memory: Mapping[str, Any] | None,
        record: IdempotencyRecord | None = None,
        quiet_from: float | None = None,
    ) -> Head:
        found = self._table.of(head)
        self._table.check_unused(record)
        self._table.keep(record)
        if metadata is not None:
            found.head = replace(found.head, metadata=dict(metadata))
        if memory is not None:
            found.head = replace(found.head, memory=deepcopy(dict(memory)), anchor=None)
        if quiet_from is not None:
            self._table.put_due(head.address, "quiet", since=quiet_from)
        return deepcopy(found.head)

    async def delete_items(self, head: Head, deletion: Deletion) -> Head:
        found = self._table.of(head)
        if deletion.changes_head and found.head.seq != head.seq:
            raise CommitConflict
        there = {seq for seq in deletion.seqs if seq in found.items and seq <= head.seq}
        for seq in there:
            del found.items[seq]
        if there:
            now = found.head
            remembered = self._table.memory(now)
            if remembered is not None and (left := remembered.without(min(deletion.seqs))) is not remembered:
                self._table.memories[head.address] = left
                self._table.put_due(head.address)
            take_out(self._table.blocks, head.address, now.incarnation, deletion.seqs)
            take_evidence(self._table.users, now, deletion.seqs)
            found.head = replace(
                now,
                items=now.items - len(there),
                messages=now.messages - deletion.messages,
                edits=now.edits + 1,
                system=_bare(deletion.pinned) if deletion.unpin else now.system,
                title=now.title if deletion.title is None else deletion.title,
            )
        return deepcopy(found.head)

    async def erase(self, address: Address, *, copies: Forget | None = None) -> Mapping[str, int]:
        found = self._table.rows.pop(address, None)
        self._table.memories.pop(address, None)
        self._table.due = {name: due for name, due in self._table.due.items() if name[0] != address}
        self._table.blocks = {name: block for name, block in self._table.blocks.items() if name[0] != address}
        erase_told(self._table.users, address)
        if found is None:
            raise no_conversation()
        records = [key for key, record in self._table.records.items() if record.address == address]
        for key in records:
            del self._table.records[key]
        own = (address.user, found.head.incarnation)
        self._table.names.pop(own, None)
        responses = [name for name in self._table.responses if name[:2] == own]
        for name in responses:
            del self._table.responses[name]
        if copies is not None:
            bare = self._table.rows[address] = Row(Head(address, new_incarnation()))
            bare.copied = not await copies()
            if self._table.rows.get(address) is bare and bare.lease is None and not bare.copied:
                del self._table.rows[address]
        if found.copied and not found.items:
            raise no_conversation()
        return {
            "conversations": 1,
            "items": len(found.items),
            "idempotency_records": len(records),
            "responses": len(responses),
        }


def _bare(stored: StoredItem | None) -> Item | None:
    return None if stored is None else {name: value for name, value in stored.item.items() if name != "id"}


def _activity(head: Head) -> tuple[int, str]:
    return int(head.updated_at * 1000), head.conversation


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
