"""The model's provider."""

from chat_core.model.port import ChatModel

__all__ = ["ChatModel"]
