"""The model's replies and vectors by the hash of the request."""

from chat_core.cache.access import CacheAccess
from chat_core.cache.embeddings import Embeddings
from chat_core.cache.flow import CacheFlow, Provider
from chat_core.cache.live import Completed, Failed, LiveEvent, ModelEvent, Opened, follow
from chat_core.cache.policy import Directives, parse_cache_control
from chat_core.cache.replies import Replies
from chat_core.cache.reply import CacheReport, CallReport, Listener, ModelCall, Reply
from chat_core.cache.store import ResponseCache
from chat_core.cache.vectors import decode_embedding

__all__ = [
    "CacheAccess",
    "CacheFlow",
    "CacheReport",
    "CallReport",
    "Completed",
    "Directives",
    "Embeddings",
    "Failed",
    "Listener",
    "LiveEvent",
    "ModelCall",
    "ModelEvent",
    "Opened",
    "Provider",
    "Replies",
    "Reply",
    "ResponseCache",
    "decode_embedding",
    "follow",
    "parse_cache_control",
]
