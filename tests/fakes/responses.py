"""Stored responses in memory, beside the history in memory."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from chat_core.history import Alone, StoredResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fakes.history import InMemoryTable


class InMemoryResponses:
    """`chat_core.history.ResponseStore` for tests."""

    def __init__(self, table: InMemoryTable) -> None:
        self._table = table

    async def read(self, user: str, incarnation: str, seq: int) -> StoredResponse | None:
        found = self._table.responses.get((user, incarnation, seq))
        return deepcopy(found) if found is not None and found.expires_at > self._table.clock() else None

    async def put(self, response: StoredResponse) -> None:
        self._table.keep_response(response)

    async def prepare(self) -> None:
        pass

    async def alone(self, user: str) -> tuple[Alone, ...]:
        kept = self._table.responses.values()
        return tuple(Alone(one.incarnation, one.first_seq) for one in kept if one.user == user and not one.conversation)

    async def erase(self, user: str, alone: Sequence[Alone]) -> None:
        for one in alone:
            self._table.responses.pop((user, one.incarnation, one.seq), None)

    async def delete(self, user: str, incarnation: str, seq: int) -> bool:
        return self._table.responses.pop((user, incarnation, seq), None) is not None

    async def is_empty(self, user: str, incarnation: str) -> bool:
        now = self._table.clock()
        return not any(
            name[:2] == (user, incarnation) and one.expires_at > now for name, one in self._table.responses.items()
        )

    async def conversation_of(self, user: str, incarnation: str) -> str | None:
        return self._table.names.get((user, incarnation))
