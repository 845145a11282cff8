"""The parts that only the chat function has: the way to the model, and the turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.cache import CacheAccess, CacheFlow, Embeddings, Provider, Replies
from chat_core.keys import KeySpace
from chat_core.momento import MomentoResponseCache
from chat_core.observability import count
from chat_core.turns import TurnLeases, TurnService
from chat_core.wiring import model_at

if TYPE_CHECKING:
    from chat_core.model import ChatModel
    from chat_core.model.openai import OpenAIModel
    from chat_core.settings import ChatSettings
    from chat_core.wiring import Stores


def make_model(settings: ChatSettings) -> OpenAIModel:
    """Make an environment's connection to the model's provider."""
    return model_at(settings.openai)


def make_cache_access(settings: ChatSettings, stores: Stores) -> CacheAccess:
    """Make an environment's way to the response cache."""
    return CacheAccess(MomentoResponseCache(stores.cache), count, timeout=settings.cache_timeout_ms / 1000)


def make_replies(settings: ChatSettings, cache: CacheAccess, model: ChatModel) -> Replies:
    """Make an environment's way to the model, through the response cache."""
    return Replies(CacheFlow(cache, count), _provider(settings, cache, model))


def make_embeddings(settings: ChatSettings, cache: CacheAccess, model: ChatModel) -> Embeddings:
    """Make an environment's way to the model's embeddings, through the cache."""
    return Embeddings(CacheFlow(cache, count), _provider(settings, cache, model))


def make_turn_service(settings: ChatSettings, stores: Stores, replies: Replies) -> TurnService:
    """Make an environment's turn service."""
    return TurnService(
        stores.history,
        TurnLeases(stores.leases, lock_wait=settings.lock_wait),
        stores.hot,
        replies,
        default_memory=settings.history.default_memory,
    )


def _provider(settings: ChatSettings, cache: CacheAccess, model: ChatModel) -> Provider:
    keys = KeySpace(settings.openai.base_url, settings.cache_epoch, shared=settings.cache_scope == "global")
    return Provider(cache, model, keys, settings.cache_ttl)
