"""The parts that only the history function has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.conversations import Conversations
from chat_core.turns import TurnLeases

if TYPE_CHECKING:
    from chat_core.settings import HistorySettings
    from chat_core.wiring import Stores


def make_conversations(settings: HistorySettings, stores: Stores) -> Conversations:
    """Make an environment's access to conversations; who appends does not wait for a turn."""
    leases = TurnLeases(stores.leases, lock_wait=0)
    return Conversations(
        stores.conversations, stores.history, leases, stores.hot, default_memory=settings.default_memory
    )
