"""The table as the store sees it: few operations, each in a thread, with DynamoDB's errors in the core's words."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from contextlib import suppress
from functools import lru_cache
from random import SystemRandom
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.aws import TRIES, NoAnswer, Refused
from chat_core.errors import StoreUnavailable
from chat_core.history.dynamodb.client import connect
from chat_core.history.dynamodb.rows import DAY, key
from chat_core.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.history.dynamodb.client import Client, Operation
    from chat_core.history.dynamodb.packing import Attribute
    from chat_core.history.dynamodb.rows import Row

_BATCH_KEYS = 100
_TRIES = 6
_CALL_SECONDS = 5.0
_RETRY_AFTER_MS = 1_000
_FAILED_CONDITION = "ConditionalCheckFailed"
_BUSY = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)
_EXPRESSIONS = ("UpdateExpression", "ConditionExpression", "KeyConditionExpression", "ProjectionExpression")
_RANDOM = SystemRandom()


class ConditionFailed(Exception):
    """The condition of an update or deletion did not hold.

    Parameters
    ----------
    row
        The row as it is, or None if there is none.
    """

    def __init__(self, row: Row | None) -> None:
        super().__init__()
        self.row = row


class Cancelled(Exception):
    """A transaction was not made, since conditions of its actions did not hold.

    Parameters
    ----------
    failed
        Places of those actions.
    """

    def __init__(self, failed: frozenset[int]) -> None:
        super().__init__()
        self.failed = failed


class _Busy(Exception):
    """Another transaction was at the same rows, or a partition is at its limit: nothing was done, so try again."""


def expressed(values: Mapping[str, Attribute], **expressions: str) -> dict[str, Any]:
    """Complete expressions with the names and values that they use.

    Every attribute is written ``#name``, since many of ours are reserved words of DynamoDB's.

    Parameters
    ----------
    values
        By name without the colon; those that no expression uses are left out.
    **expressions
        By their names in DynamoDB's API.
    """
    text = " ".join(expressions[name] for name in _EXPRESSIONS if name in expressions)
    names, used = _mentioned(text)
    request: dict[str, Any] = {**expressions, "ExpressionAttributeNames": {f"#{name}": name for name in names}}
    if used:
        request["ExpressionAttributeValues"] = {f":{name}": values[name] for name in used}
    return request


@lru_cache(maxsize=256)
def _mentioned(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell the names of attributes and of values in expressions: each turn has the same few."""
    names, used = (re.findall(rf"{sign}(\w+)", text) for sign in "#:")
    return tuple(dict.fromkeys(names)), tuple(dict.fromkeys(used))


class Table:
    """The table and the connection to it.

    Parameters
    ----------
    name
        The table's name.
    client
        Makes the client on the first call.
    clock
        Gives the seconds since the epoch.
    ttl_days
        Days after which rows expire, None for never; ``lifetime`` is the same in seconds.
    """

    def __init__(
        self,
        name: str,
        *,
        client: Callable[[], Client] = connect,
        clock: Callable[[], float] = time.time,
        ttl_days: int | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self.lifetime = None if ttl_days is None else ttl_days * DAY
        self._make = client
        self._client: Client | None = None
        self._lock = threading.Lock()

    def expiry(self, now: float) -> int | None:
        """Tell when a row written now expires, in seconds since the epoch."""
        return None if self.lifetime is None else int(now) + self.lifetime

    async def get(self, pk: str, sk: str) -> Row | None:
        """Read a row, strongly consistent; None if there is none."""
        answer = await self._call("GetItem", {"Key": key(pk, sk), "ConsistentRead": True})
        row: Row | None = answer.get("Item")
        return row

    async def get_all(self, keys: Sequence[Row]) -> list[Row]:
        """Read rows by their keys, strongly consistent, in no order; those that are not there are not among them."""
        found: list[Row] = []
        left = list(keys)
        while left:
            asked, left = left[:_BATCH_KEYS], left[_BATCH_KEYS:]
            wanted = {self.name: {"Keys": asked, "ConsistentRead": True}}
            answer = await self._call("BatchGetItem", {"RequestItems": wanted})
            found += answer["Responses"].get(self.name, [])
            # What is beyond 16 MB, or too much for the partition right now, is to be asked for again.
            left += answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
        return found

    async def query(self, request: Mapping[str, Any], start: Row | None) -> tuple[list[Row], Row | None]:
        """Read a page of a range of rows, and where the next one starts; None when there is no more."""
        answer = await self._call("Query", {**request, **({"ExclusiveStartKey": start} if start else {})})
        return answer["Items"], answer.get("LastEvaluatedKey")

    async def update(self, pk: str, sk: str, expressions: Mapping[str, Any]) -> Row:
        """Change a row in one go and return it as it is then.

        Raises
        ------
        ConditionFailed
            If its condition does not hold.
        """
        answer = await self._call(
            "UpdateItem",
            {
                "Key": key(pk, sk),
                **expressions,
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
        row: Row = answer["Attributes"]
        return row

    async def put_once(self, rows: Sequence[Row]) -> None:
        """Write rows that nobody else knows, all or none, in one try: who waits has no time for another."""
        if len(rows) == 1:
            await self._call("PutItem", {"Item": rows[0]}, once=True)
            return
        puts = [{"Put": {"TableName": self.name, "Item": row}} for row in rows]
        await self._call("TransactWriteItems", {"TransactItems": puts}, once=True)

    async def prepare(self) -> None:
        """Have a connection, for who will need it with little time then; what fails shows when it is used."""
        if self._client is None or not self._client.is_ready():
            await asyncio.to_thread(self._prepare)

    async def delete(self, pk: str, sk: str, expressions: Mapping[str, Any] | None = None) -> Row | None:
        """Delete a row and return what it was; None if there was none.

        Raises
        ------
        ConditionFailed
            If its condition does not hold.
        """
        answer = await self._call("DeleteItem", {"Key": key(pk, sk), **(expressions or {}), "ReturnValues": "ALL_OLD"})
        row: Row | None = answer.get("Attributes")
        return row

    async def transact(self, actions: Sequence[Mapping[str, Mapping[str, Any]]]) -> None:
        """Do up to 100 actions, all or none.

        Raises
        ------
        Cancelled
            If conditions do not hold.
        """
        named = [{kind: {"TableName": self.name, **action} for kind, action in entry.items()} for entry in actions]
        await self._call("TransactWriteItems", {"TransactItems": named})

    def close(self) -> None:
        """Close the connections, if any were made."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _call(self, operation: Operation, request: Mapping[str, Any], *, once: bool = False) -> Mapping[str, Any]:
        if operation not in ("TransactWriteItems", "BatchGetItem"):
            request = {"TableName": self.name, **request}
        given_up = threading.Event()
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                for attempt in range(1 if once else _TRIES):
                    try:
                        return await asyncio.to_thread(self._send, operation, request, given_up, once=once)
                    except _Busy:
                        await asyncio.sleep(_RANDOM.uniform(0, 0.02 * 2**attempt))
        except TimeoutError:
            pass
        finally:
            given_up.set()
        raise _unavailable()

    def _send(
        self, operation: Operation, request: Mapping[str, Any], given_up: threading.Event, *, once: bool
    ) -> Mapping[str, Any]:
        if operation == "TransactWriteItems":
            # All tries of this call are one transaction; what is called again after a refusal is another.
            request = {"ClientRequestToken": str(uuid4()), **request}
        try:
            return self._connected().call(operation, request, tries=1 if once else TRIES, given_up=given_up)
        except Refused as refused:
            raise _translated(refused) from refused
        except NoAnswer as error:
            if not given_up.is_set():
                logger().warning("dynamodb_unavailable", reason=str(error))
            raise _unavailable() from error

    def _prepare(self) -> None:
        with suppress(NoAnswer):
            self._connected().prepare()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._make()
            return self._client


def _translated(refused: Refused) -> Exception:
    if refused.code == "ConditionalCheckFailedException":
        return ConditionFailed(refused.answer.get("Item"))
    if refused.code in _BUSY:
        return _Busy()
    if refused.code == "TransactionCanceledException":
        codes = [reason.get("Code") for reason in refused.answer.get("CancellationReasons", ())]
        failed = frozenset(place for place, reason in enumerate(codes) if reason == _FAILED_CONDITION)
        if failed:
            return Cancelled(failed)
        if _BUSY.intersection(codes):
            return _Busy()
    logger().warning("dynamodb_unavailable", reason=str(refused))
    return _unavailable()


def _unavailable() -> StoreUnavailable:
    return StoreUnavailable("The history cannot be reached.", retry_after_ms=_RETRY_AFTER_MS)
