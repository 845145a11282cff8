"""The hot copies and the response cache in Momento; the only import of its SDK, on the first call."""

from chat_core.momento.breaker import Breaker
from chat_core.momento.connection import CredentialsSource, MomentoCache, MomentoCredentials, credential_provider
from chat_core.momento.stores import MomentoMemoryStore, MomentoResponseCache

__all__ = [
    "Breaker",
    "CredentialsSource",
    "MomentoCache",
    "MomentoCredentials",
    "MomentoMemoryStore",
    "MomentoResponseCache",
    "credential_provider",
]
