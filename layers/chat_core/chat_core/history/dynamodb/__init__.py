"""The durable history in one DynamoDB table, connected to on the first call.

With days to live an item expires that long after it was written, and the conversation that long after its last commit:
one that goes on loses its oldest items. The head's counts are not lowered by that.
Calls run in threads, so a call that is cancelled may still be made.
"""

from chat_core.history.dynamodb.branches import DynamoBranches
from chat_core.history.dynamodb.conversations import DynamoConversations
from chat_core.history.dynamodb.history import DynamoHistory
from chat_core.history.dynamodb.leases import DynamoLeases
from chat_core.history.dynamodb.responses import DynamoResponses
from chat_core.history.dynamodb.table import Table

__all__ = ["DynamoBranches", "DynamoConversations", "DynamoHistory", "DynamoLeases", "DynamoResponses", "Table"]
