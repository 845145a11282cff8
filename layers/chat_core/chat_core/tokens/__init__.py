"""What messages cost, exact and offline."""

from chat_core.tokens.counter import REQUEST_TOKENS, RememberedCounts, TokenCounter, context_window, counter_for

__all__ = ["REQUEST_TOKENS", "RememberedCounts", "TokenCounter", "context_window", "counter_for"]
