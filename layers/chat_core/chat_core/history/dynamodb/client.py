"""boto3's client of DynamoDB: what is used of it, and how it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

Operation = Literal[
    "get_item", "batch_get_item", "query", "put_item", "update_item", "delete_item", "transact_write_items"
]

CLIENT_CONFIG: Mapping[str, Any] = {
    "connect_timeout": 1,
    "read_timeout": 3,
    "retries": {"mode": "standard", "total_max_attempts": 3},
    # What botocore would do anew at each call, a third of its time: check what the rows' own types say, and compose
    # its name of twelve parts.
    "parameter_validation": False,
    "user_agent": "omoide",
}
"""Of botocore's ``Config``: a call ends after at most three tries of one second to connect and three to read."""


class Client(Protocol):
    """What is used of boto3's DynamoDB client."""

    def get_item(self, **request: Any) -> Mapping[str, Any]:
        """Read a row by its key."""
        ...

    def batch_get_item(self, **request: Any) -> Mapping[str, Any]:
        """Read up to 100 rows by their keys."""
        ...

    def query(self, **request: Any) -> Mapping[str, Any]:
        """Read a range of rows."""
        ...

    def put_item(self, **request: Any) -> Mapping[str, Any]:
        """Write a row."""
        ...

    def update_item(self, **request: Any) -> Mapping[str, Any]:
        """Change a row, or create it."""
        ...

    def delete_item(self, **request: Any) -> Mapping[str, Any]:
        """Delete a row."""
        ...

    def transact_write_items(self, **request: Any) -> Mapping[str, Any]:
        """Change up to 100 rows, all or none."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...

    @property
    def meta(self) -> Any:
        """Where boto3 lets others take part in its calls: ``meta.events``."""
        ...


def connect() -> Client:
    """Make botocore's client for the environment's region and endpoint; boto3 would only load more around it.

    botocore sends a transaction's tries under one token, so that it is made once.
    """
    from botocore.config import Config
    from botocore.session import get_session

    client: Client = get_session().create_client("dynamodb", config=Config(**CLIENT_CONFIG))
    return client
