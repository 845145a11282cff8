"""Long-term memory's other face, for the memory function: a turn folds nothing, and need not load what does."""

from chat_core.long_term.asking import StructuredModel
from chat_core.long_term.embedder import Embedder
from chat_core.long_term.extracting import Extracting
from chat_core.long_term.extractor import Extractor
from chat_core.long_term.indexing import Indexing
from chat_core.long_term.store import Stores
from chat_core.long_term.summariser import Summariser
from chat_core.long_term.summarising import Summarising
from chat_core.long_term.worker import MemoryWorker

__all__ = [
    "Embedder",
    "Extracting",
    "Extractor",
    "Indexing",
    "MemoryWorker",
    "Stores",
    "StructuredModel",
    "Summariser",
    "Summarising",
]
