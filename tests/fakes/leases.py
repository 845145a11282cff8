"""The turn lease in memory, on the table of `tests.fakes.history`."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

from chat_core.errors import ConversationLocked, IdempotencyInProgress, no_conversation
from chat_core.history.records import Head, Lease
from chat_core.keys import Address, new_incarnation
from tests.fakes.history import InMemoryTable, Row


class InMemoryLeases:
    """`chat_core.history.Leases` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table

    async def take(self, address: Address, lease: Lease, *, create: bool) -> Head:
        table = self._table
        found = table.rows.get(address)
        if (found is None or not found.visible) and not create:
            raise no_conversation()
        if found is None:
            head = Head(address, new_incarnation(), created_at=int(table.clock()))
            found = table.rows[address] = Row(head)
        held = table.held(found)
        if held is not None:
            left = int((held.expires_at - table.clock()) * 1000) + 1
            if held.idempotency_key and held.idempotency_key == lease.idempotency_key:
                raise IdempotencyInProgress("The request with this key is still running.", retry_after_ms=left)
            raise ConversationLocked("Another turn is still running.", retry_after_ms=left)
        found.lease = lease
        return deepcopy(found.head)

    async def renew(self, address: Address, token: str, until: float) -> bool:
        found = self._table.rows.get(address)
        if found is None or found.lease is None or found.lease.token != token:
            return False
        found.lease = replace(found.lease, expires_at=until)
        return True

    async def release(self, address: Address, token: str) -> None:
        found = self._table.rows.get(address)
        if found is None or found.lease is None or found.lease.token != token:
            return
        found.lease = None
        if not found.visible and not found.copied:
            del self._table.rows[address]
