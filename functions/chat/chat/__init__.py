"""The chat function: turns and stateless calls."""
