"""What the cache keeps of a conversation: its newest messages as a list, and what the memory needs as one value."""

from chat_core.hot.copies import HotCopies, Known
from chat_core.hot.store import MemoryStore
from chat_core.hot.value import KeptFacts, MemoryState

__all__ = ["HotCopies", "KeptFacts", "Known", "MemoryState", "MemoryStore"]
