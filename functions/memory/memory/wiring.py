"""The memory function put together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core import wiring
from chat_core.long_term.folding import (
    Embedder,
    Extracting,
    Extractor,
    Indexing,
    MemoryWorker,
    Stores,
    StructuredModel,
    Summariser,
    Summarising,
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
    counter, clock = counter_for(settings.model), time.time
    embedder = Embedder(model, settings.openai.embedding_model)
    extractor = Extractor(asked, count=counter.text, clock=clock)
    return MemoryWorker(
        Stores(stores.history, stores.long_term, stores.index, stores.facts),
        (
            Summarising(Summariser(asked, counter=counter, clock=clock), clock=clock, count=count),
            Extracting(stores.facts, extractor, clock=clock, count=count, history=stores.history),
            Indexing(stores.history, stores.index, embedder, tokens=counter.text, clock=clock, count=count),
        ),
        counter=counter,
        default_memory=settings.history.default_memory,
        clock=clock,
        count=count,
    )
