"""The model's replies and vectors by the hash of the request."""

from chat_core.cache.access import CacheAccess
from chat_core.cache.embeddings import Embeddings
from chat_core.cache.flow import CacheFlow, Provider
from chat_core.cache.policy import Directives, parse_cache_control
from chat_core.cache.replies import Replies
from chat_core.cache.reply import CacheReport, ModelCall, Reply
from chat_core.cache.store import ResponseCache

__all__ = [
    "CacheAccess",
    "CacheFlow",
    "CacheReport",
    "Directives",
    "Embeddings",
    "ModelCall",
    "Provider",
    "Replies",
    "Reply",
    "ResponseCache",
    "parse_cache_control",
]
