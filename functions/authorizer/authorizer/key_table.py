"""API keys in the table of the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authorizer.api_keys import KEY, digest_of, read_row
from chat_core.keys import api_key_partition_key

if TYPE_CHECKING:
    from authorizer.api_keys import ApiKey


class KeyTable:
    """Finds keys; a row read is a key that was not revoked.

    Parameters
    ----------
    table
        Its name.
    client
        boto3's; None: one is made when it is first needed.
    """

    def __init__(self, table: str, client: Any = None) -> None:
        self._table = table
        self._client = client

    def find(self, key: str) -> ApiKey | None:
        """Read what is stored of a key; None where nothing is.

        Raises
        ------
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError
            If the table does not answer: the gateway says that the service failed, not that the key is wrong.
        """
        row_key = {"pk": {"S": api_key_partition_key(digest_of(key))}, "sk": {"S": KEY}}
        found = self._connected().get_item(TableName=self._table, Key=row_key, ConsistentRead=True)
        return read_row(found["Item"]) if "Item" in found else None

    def _connected(self) -> Any:
        if self._client is None:
            from boto3.session import Session
            from botocore.config import Config

            config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})
            self._client = Session().client("dynamodb", config=config)
        return self._client
