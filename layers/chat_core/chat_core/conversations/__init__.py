"""Conversations as resources: created, read, listed, changed, erased."""

from chat_core.conversations.erasure import Erased, Erasure
from chat_core.conversations.fork import ForkRequest, Forks
from chat_core.conversations.memory import ConversationMemory, MemoryState
from chat_core.conversations.resources import Conversations
from chat_core.conversations.responses import Responses
from chat_core.conversations.user_memory import Forgotten, UserMemory

__all__ = [
    "ConversationMemory",
    "Conversations",
    "Erased",
    "Erasure",
    "Forgotten",
    "ForkRequest",
    "Forks",
    "MemoryState",
    "Responses",
    "UserMemory",
]
