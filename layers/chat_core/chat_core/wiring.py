"""The parts that both functions are made of, put together from the settings; nothing connects before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core.history.dynamodb import DynamoConversations, DynamoHistory, DynamoLeases, Table
from chat_core.hot import HotCopies
from chat_core.momento import Breaker, MomentoCache, MomentoCredentials, MomentoMemoryStore
from chat_core.secrets import read_key

if TYPE_CHECKING:
    from chat_core.settings import HistorySettings, MomentoSettings


@dataclass(frozen=True, slots=True)
class Stores:
    """Where conversations live: the truth, and the cache with its copies."""

    table: Table
    history: DynamoHistory
    leases: DynamoLeases
    conversations: DynamoConversations
    cache: MomentoCache
    hot: HotCopies


def make_stores(settings: HistorySettings) -> Stores:
    """Make an environment's stores."""
    table = Table(settings.table, ttl_days=settings.ttl_days)
    cache = MomentoCache(settings.cache_name, CredentialsFrom(settings.momento), breaker=Breaker())
    return stores_on(table, cache, hot_messages=settings.hot_messages)


def stores_on(table: Table, cache: MomentoCache, *, hot_messages: int) -> Stores:
    """Make the stores of a table and a cache."""
    history = DynamoHistory(table)
    hot = HotCopies(MomentoMemoryStore(cache), history, keep=hot_messages)
    return Stores(table, history, DynamoLeases(table), DynamoConversations(table), cache, hot)


@dataclass(frozen=True, slots=True)
class CredentialsFrom:
    """Momento's credentials from the settings: a local server, a key, or a secret that holds the key."""

    settings: MomentoSettings

    def __call__(self, *, refresh: bool) -> MomentoCredentials:
        """Read them; see `chat_core.momento.CredentialsSource`."""
        settings = self.settings
        if settings.local or settings.api_key or not settings.secret_id:
            return MomentoCredentials(settings.api_key, settings.endpoint, settings.local)
        key = read_key(settings.secret_id, refresh=refresh)
        return MomentoCredentials(key.api_key, key.endpoint)
