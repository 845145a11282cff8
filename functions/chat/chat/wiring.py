"""The parts that only the chat function has: the way to the model, and the turns."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chat_core.adapters.momento import MomentoResponseCache
from chat_core.adapters.openai_model import OpenAIModel
from chat_core.adapters.secrets import get_secret, member
from chat_core.replies import Replies
from chat_core.turns import TurnService

if TYPE_CHECKING:
    from chat_core.settings import ChatSettings
    from chat_core.wiring import Stores


def make_replies(settings: ChatSettings, stores: Stores) -> Replies:
    """Make an environment's way to the model, through the response cache."""
    model = OpenAIModel(partial(_api_key, settings), settings.openai_base_url)
    return Replies(
        MomentoResponseCache(stores.cache),
        model,
        base_url=settings.openai_base_url,
        ttl=settings.cache_ttl,
        epoch=settings.cache_epoch,
    )


def make_turn_service(settings: ChatSettings, stores: Stores, replies: Replies) -> TurnService:
    """Make an environment's turn service."""
    return TurnService(
        stores.history,
        stores.hot,
        replies,
        default_memory=settings.history.default_memory,
        lock_wait=settings.lock_wait,
    )


def _api_key(settings: ChatSettings, refresh: bool) -> str:
    if settings.openai_api_key or not settings.openai_secret_id:
        return settings.openai_api_key
    return member(get_secret(settings.openai_secret_id, refresh=refresh), "api_key")
