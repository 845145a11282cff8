"""The adapter's client of DynamoDB for tests: on an endpoint, and what it shows of a whole table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.aws import AwsClient, Connections, Credentials, Endpoint
from chat_core.history.dynamodb.client import DYNAMODB

if TYPE_CHECKING:
    from collections.abc import Callable

    from chat_core.aws import Sender

KEYS = Credentials("testing", "testing")


def client_at(
    url: str, *, region: str = "eu-central-1", through: Callable[[Sender], Sender] | None = None
) -> AwsClient:
    """Make a client of the DynamoDB at a URL; ``through`` wraps what posts to it."""
    endpoint = Endpoint(url, region)
    sender: Sender = Connections(endpoint)
    return AwsClient(DYNAMODB, endpoint, lambda: KEYS, through(sender) if through else sender)


def rows_in(client: Any, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    found: list[dict[str, Any]] = []
    request: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
    while True:
        page = client.call("Scan", request)
        found += page["Items"]
        if "LastEvaluatedKey" not in page:
            return found
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
