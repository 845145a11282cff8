"""The model's provider, and what is known of its models."""

from chat_core.model.catalog import Encoding, ImageRule, Model, Patches, Tiles, check_model, model_of
from chat_core.model.listing import Models
from chat_core.model.port import ChatModel, ModelProvider, Tell

__all__ = [
    "ChatModel",
    "Encoding",
    "ImageRule",
    "Model",
    "ModelProvider",
    "Models",
    "Patches",
    "Tell",
    "Tiles",
    "check_model",
    "model_of",
]
