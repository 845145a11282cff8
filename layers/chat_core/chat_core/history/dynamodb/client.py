"""DynamoDB's API: what is used of it, and how it is reached."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Literal, Protocol

from chat_core import aws

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

Operation = Literal["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]


class Client(Protocol):
    """Calls operations, with rows as DynamoDB's API has them; bytes are bytes. `chat_core.aws.AwsClient` is one."""

    def call(
        self,
        operation: Operation,
        request: Mapping[str, Any],
        *,
        tries: int = aws.TRIES,
        given_up: threading.Event | None = None,
    ) -> Mapping[str, Any]:
        """See `chat_core.aws.AwsClient.call`."""
        ...

    def is_ready(self) -> bool:
        """See `chat_core.aws.AwsClient.is_ready`."""
        ...

    def prepare(self) -> None:
        """See `chat_core.aws.AwsClient.prepare`."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def _with_bytes(found: dict[str, Any]) -> dict[str, Any]:
    """Read a value of type B; an attribute named so has an object there."""
    if len(found) == 1 and isinstance(encoded := found.get("B"), str):
        return {"B": b64decode(encoded)}
    return found


DYNAMODB = aws.Service("dynamodb", "DYNAMODB", "DynamoDB_20120810", "1.0", _with_bytes)


def connect() -> Client:
    """Make a client for the environment's region and endpoint."""
    return aws.connect(DYNAMODB)
