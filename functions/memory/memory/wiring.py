"""The memory function put together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core import wiring
from chat_core.long_term import (
    Embedder,
    Extracting,
    Extractor,
    Indexing,
    MemoryWorker,
    Stores,
    StructuredModel,
    Summariser,
)
from chat_core.observability import count
from chat_core.tokens import counter_for

if TYPE_CHECKING:
    from chat_core.model import ChatModel
    from chat_core.settings import MemorySettings


@dataclass(frozen=True, slots=True)
class MemoryParts:
    """What an environment of the memory function keeps for its life."""

    stores: wiring.Stores
    model: ChatModel
    worker: MemoryWorker


def make_memory(settings: MemorySettings) -> MemoryParts:
    """Make the parts; nothing connects before it is used."""
    stores, model = wiring.make_stores(settings.history), wiring.model_at(settings.openai)
    return MemoryParts(stores, model, make_worker(settings, stores, model))


def make_worker(settings: MemorySettings, stores: wiring.Stores, model: ChatModel) -> MemoryWorker:
    """Make the worker on stores and a model that there are."""
    asked = StructuredModel(model, settings.model)
    kept = Stores(stores.history, stores.long_term, stores.index, stores.facts)
    counter = counter_for(settings.model)
    indexing = Indexing(
        kept,
        Embedder(model, settings.openai.embedding_model),
        tokens=counter.text,
        default_memory=settings.history.default_memory,
        clock=time.time,
        count=count,
    )
    extracting = Extracting(
        kept,
        Extractor(asked, count=counter.text, clock=time.time),
        counter=counter,
        default_memory=settings.history.default_memory,
        clock=time.time,
        count=count,
    )
    return MemoryWorker(
        kept,
        Summariser(asked, counter=counter, clock=time.time),
        default_memory=settings.history.default_memory,
        clock=time.time,
        count=count,
        parts=(indexing, extracting),
    )
