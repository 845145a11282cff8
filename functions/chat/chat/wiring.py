"""The chat function put together: the stores, the way to the model, and the turns."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from chat_core.cache import CacheAccess, CacheFlow, Embeddings, Provider, Replies
from chat_core.keys import KeySpace
from chat_core.long_term.embedder import Embedder
from chat_core.long_term.query_vectors import QueryVectors
from chat_core.long_term.recall import DIMENSIONS
from chat_core.long_term.recaller import Recaller, RecallStores
from chat_core.model import Models
from chat_core.momento import MomentoResponseCache
from chat_core.observability import count
from chat_core.turns import Calls, Keeping, TurnLeases, TurnParts, TurnService
from chat_core.wiring import make_stores, model_at

if TYPE_CHECKING:
    from chat_core.cache import ResponseCache
    from chat_core.model import ChatModel, ModelProvider
    from chat_core.settings import ChatSettings
    from chat_core.wiring import Stores


class ChatParts(NamedTuple):
    """What an environment of the chat function keeps for its life."""

    settings: ChatSettings
    stores: Stores
    model: ModelProvider
    models: Models
    replies: Replies
    embeddings: Embeddings
    turns: TurnService
    calls: Calls


def make_chat(settings: ChatSettings) -> ChatParts:
    """Make the parts; nothing connects before it is used."""
    stores = make_stores(settings.history)
    return chat_on(settings, stores, model_at(settings.openai), MomentoResponseCache(stores.cache))


def chat_on(settings: ChatSettings, stores: Stores, model: ModelProvider, cache: ResponseCache) -> ChatParts:
    """Make the parts on stores, a model and a cache that there are."""
    access = CacheAccess(cache, count, timeout=settings.cache_timeout_ms / 1000)
    keys = KeySpace(settings.openai.base_url, settings.cache_epoch, shared=settings.cache_scope == "global")
    flow, provider = CacheFlow(access, count), Provider(access, model, keys, settings.cache_ttl)
    replies = Replies(flow, provider)
    recaller = Recaller(
        RecallStores(stores.history, stores.conversations, stores.index),
        _query_vectors(settings, access, model),
        default_memory=settings.history.default_memory,
        clock=time.time,
    )
    keeping = Keeping(settings.response_days * 86_400, settings.store_responses, settings.store_timeout_ms / 1000)
    calls = Calls(replies, stores.sources, keeping, clock=time.time, count=count)
    turns = TurnParts(
        sources=replace(stores.sources, recaller=recaller),
        leases=TurnLeases(stores.leases, lock_wait=settings.lock_wait),
        hot=stores.hot,
        replies=replies,
        default_memory=settings.history.default_memory,
        clock=time.time,
        branches=stores.branches,
        keeping=keeping,
    )
    own = (settings.openai.model, settings.openai.embedding_model)
    models = Models(model, allowed=settings.allowed_models, own=own, clock=time.monotonic)
    return ChatParts(settings, stores, model, models, replies, Embeddings(flow, provider), TurnService(turns), calls)


def _query_vectors(settings: ChatSettings, cache: CacheAccess, model: ChatModel) -> QueryVectors:
    name = settings.openai.embedding_model
    keys = KeySpace(settings.openai.base_url, settings.cache_epoch)
    # What is kept is not what `POST /v1/embeddings` keeps of the same text.
    body = {"model": name, "dimensions": DIMENSIONS, "kept": "int8"}
    return QueryVectors(Embedder(model, name), cache, lambda user, text: keys.embedding_key(text, body, user=user))
