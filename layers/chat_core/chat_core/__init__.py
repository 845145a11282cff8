"""The core of Omoide: conversations, memory, keys and turns, without a vendor; adapters are the way out."""

__version__ = "0.1.0"
