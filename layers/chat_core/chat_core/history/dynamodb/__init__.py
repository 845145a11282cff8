"""The durable history in one DynamoDB table; the only import of boto3 for it, on the first call."""

from chat_core.history.dynamodb.store import DynamoHistoryStore

__all__ = ["DynamoHistoryStore"]
