"""Long-term memory in the table of the history."""

from chat_core.long_term.dynamodb.facts import DynamoFactStore
from chat_core.long_term.dynamodb.memories import DynamoLongTermStore
from chat_core.long_term.dynamodb.recall import DynamoRecallIndex

__all__ = ["DynamoFactStore", "DynamoLongTermStore", "DynamoRecallIndex"]
