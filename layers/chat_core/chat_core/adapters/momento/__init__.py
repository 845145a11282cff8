"""The hot copies and the response cache in Momento; the only import of its SDK, on the first call."""

from chat_core.adapters.momento.connection import (
    CredentialsSource,
    MomentoCache,
    MomentoCredentials,
    credential_provider,
)
from chat_core.adapters.momento.stores import MomentoMemoryStore, MomentoResponseCache

__all__ = [
    "CredentialsSource",
    "MomentoCache",
    "MomentoCredentials",
    "MomentoMemoryStore",
    "MomentoResponseCache",
    "credential_provider",
]
