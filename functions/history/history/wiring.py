"""The history function put together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from chat_core.conversations import ConversationMemory, Conversations, Erasure, Forks, Responses, UserMemory
from chat_core.long_term import RememberedFacts
from chat_core.turns import TurnLeases
from chat_core.wiring import make_stores

if TYPE_CHECKING:
    from chat_core.settings import HistorySettings
    from chat_core.wiring import Stores


class HistoryParts(NamedTuple):
    """What an environment of the history function keeps for its life."""

    stores: Stores
    conversations: Conversations
    memory: ConversationMemory
    facts: RememberedFacts
    user_memory: UserMemory
    erasure: Erasure
    responses: Responses
    forks: Forks


def make_history(settings: HistorySettings) -> HistoryParts:
    """Make the parts; nothing connects before it is used."""
    return history_on(settings, make_stores(settings))


def history_on(settings: HistorySettings, stores: Stores) -> HistoryParts:
    """Make the parts on stores that there are; who appends items does not wait for a turn."""
    leases = TurnLeases(stores.leases, lock_wait=0)
    conversations = Conversations(
        stores.conversations, stores.sources, leases, stores.hot, default_memory=settings.default_memory
    )
    memory = ConversationMemory(stores.sources, stores.index, default_memory=settings.default_memory)
    erasure = Erasure(stores.history, stores.conversations, stores.hot, stores.facts, stores.responses)
    return HistoryParts(
        stores,
        conversations,
        memory,
        RememberedFacts(stores.facts),
        UserMemory(stores.conversations, memory, stores.facts),
        erasure,
        Responses(stores.responses, stores.history, erasure),
        Forks(stores.sources, stores.branches, stores.hot, default_memory=settings.default_memory, clock=time.time),
    )
