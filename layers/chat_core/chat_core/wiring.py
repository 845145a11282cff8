"""The parts that both functions are made of, put together from the settings; nothing connects before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from chat_core.history.dynamodb import (
    DynamoBranches,
    DynamoConversations,
    DynamoHistory,
    DynamoLeases,
    DynamoResponses,
    Table,
)
from chat_core.hot import HotCopies
from chat_core.long_term.dynamodb import DynamoFactStore, DynamoLongTermStore, DynamoRecallIndex
from chat_core.momento import Breaker, MomentoCache, MomentoCredentials, MomentoMemoryStore
from chat_core.secrets import read_key
from chat_core.turns import Sources

if TYPE_CHECKING:
    from chat_core.history.dynamodb.derived import DerivedRows
    from chat_core.model.openai import OpenAIModel
    from chat_core.settings import HistorySettings, MomentoSettings, OpenAISettings


@dataclass(frozen=True, slots=True)
class Stores:
    """Where conversations live: the truth, and the cache with its copies."""

    table: Table
    history: DynamoHistory
    leases: DynamoLeases
    conversations: DynamoConversations
    long_term: DynamoLongTermStore
    index: DynamoRecallIndex
    facts: DynamoFactStore
    responses: DynamoResponses
    branches: DynamoBranches
    cache: MomentoCache
    hot: HotCopies

    @property
    def sources(self) -> Sources:
        """What views are made of."""
        return Sources(self.history, self.long_term, self.facts, self.responses)


def make_stores(settings: HistorySettings) -> Stores:
    """Make an environment's stores."""
    table = Table(settings.table, ttl_days=settings.ttl_days)
    cache = MomentoCache(settings.cache_name, CredentialsFrom(settings.momento), breaker=Breaker())
    return stores_on(table, cache, hot_messages=settings.hot_messages)


def stores_on(table: Table, cache: MomentoCache, *, hot_messages: int) -> Stores:
    """Make the stores of a table and a cache."""
    history = DynamoHistory(table)
    hot = HotCopies(MomentoMemoryStore(cache), history, keep=hot_messages)
    remembered = DynamoLongTermStore(table)
    index = DynamoRecallIndex(table)
    facts = DynamoFactStore(table)
    derived: list[DerivedRows] = [remembered, index, facts]
    return Stores(
        table,
        history,
        DynamoLeases(table),
        DynamoConversations(table, derived),
        remembered,
        index,
        facts,
        DynamoResponses(table),
        DynamoBranches(table, derived),
        cache,
        hot,
    )


def model_at(settings: OpenAISettings) -> OpenAIModel:
    """Make the way to the model's provider."""
    from chat_core.model.openai import OpenAIModel  # a function that calls no model loads none of it

    return OpenAIModel(partial(_api_key, settings), settings.base_url)


def _api_key(settings: OpenAISettings, refresh: bool) -> str:
    if settings.api_key or not settings.secret_id:
        return settings.api_key
    return read_key(settings.secret_id, refresh=refresh).api_key


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
