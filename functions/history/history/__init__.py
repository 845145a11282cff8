"""The history function: conversations and their items."""
