"""The model's provider."""

from chat_core.model.port import ChatModel, Tell

__all__ = ["ChatModel", "Tell"]
