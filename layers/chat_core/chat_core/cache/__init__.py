"""The model's replies and vectors by the hash of the request."""

from chat_core.cache.access import CacheAccess
from chat_core.cache.embeddings import Embeddings
from chat_core.cache.policy import Directives, parse_cache_control
from chat_core.cache.replies import Replies, Reply
from chat_core.cache.stateless import StatelessCall
from chat_core.cache.store import ResponseCache

__all__ = [
    "CacheAccess",
    "Directives",
    "Embeddings",
    "Replies",
    "Reply",
    "ResponseCache",
    "StatelessCall",
    "parse_cache_control",
]
