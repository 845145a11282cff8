"""The parts that only the memory function has: the worker, and the model that it asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from chat_core.long_term import MemoryWorker, StructuredModel, Summariser
from chat_core.observability import count
from chat_core.tokens import counter_for

if TYPE_CHECKING:
    from chat_core.model import ChatModel
    from chat_core.settings import MemorySettings
    from chat_core.wiring import Stores


def make_worker(settings: MemorySettings, stores: Stores, model: ChatModel) -> MemoryWorker:
    """Make an environment's worker."""
    asked = StructuredModel(model, settings.model)
    return MemoryWorker(
        stores.history,
        stores.long_term,
        Summariser(asked, counter=counter_for(settings.model), clock=time.time),
        default_memory=settings.history.default_memory,
        clock=time.time,
        count=count,
    )
