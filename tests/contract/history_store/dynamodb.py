"""A client that is as strict about requests as DynamoDB is, and that can fail at any call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXPRESSIONS = ("UpdateExpression", "ConditionExpression", "KeyConditionExpression", "ProjectionExpression")
WORDS = {"SET", "REMOVE", "ADD", "AND", "OR", "BETWEEN", "attribute_exists", "attribute_not_exists", "if_not_exists"}


class Killed(Exception):
    """The function ended here."""


class StrictClient:
    """The adapter's client, strict, and breakable.

    Attributes
    ----------
    calls
        The operations so far.
    before, after
        Called with the operation and the request before it is sent, and when it was made; may raise.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls: list[str] = []
        self.before: Callable[[str, Mapping[str, Any]], None] = _nothing
        self.after: Callable[[str, Mapping[str, Any]], None] = _nothing

    def call(self, operation: str, request: Mapping[str, Any], **how: Any) -> Mapping[str, Any]:
        check(request)
        self.calls.append(operation)
        self.before(operation, request)
        answer: Mapping[str, Any] = self._client.call(operation, request, **how)
        self.after(operation, request)
        return answer

    def is_ready(self) -> bool:
        return bool(self._client.is_ready())

    def prepare(self) -> None:
        self._client.prepare()

    def close(self) -> None:
        pass

    def kill(self, operation: str, call: int, *, sent: bool = False) -> None:
        """Raise `Killed` at a call of an operation, counted from 1 from now on, before or after it is made."""
        count = 0

        def hook(name: str, _: Mapping[str, Any]) -> None:
            nonlocal count
            count += name == operation
            if name == operation and count == call:
                raise Killed

        if sent:
            self.after = hook
        else:
            self.before = hook

    def heal(self) -> None:
        self.before = self.after = _nothing


def _nothing(operation: str, request: Mapping[str, Any]) -> None:
    pass


def check(request: Mapping[str, Any]) -> None:
    """Refuse what DynamoDB refuses and moto does not."""
    actions = request.get("TransactItems")
    if actions is None:
        assert row_bytes(request.get("Item", {})) <= 409_600
        check_expressions(request)
        return
    assert 1 <= len(actions) <= 100
    keys = []
    total = 0
    for (action,) in (entry.values() for entry in actions):
        check_expressions(action)
        row = action.get("Item", {})
        key = action.get("Key", row)
        keys.append((key["pk"]["S"], key["sk"]["S"]))
        size = row_bytes(row) + row_bytes(action.get("ExpressionAttributeValues", {}))
        assert size <= 409_600
        total += size
    assert len(set(keys)) == len(keys)
    assert total <= 4_000_000


def check_expressions(request: Mapping[str, Any]) -> None:
    text = " ".join(request[name] for name in EXPRESSIONS if name in request)
    words = set(re.findall(r"[#:]?\w+", text))
    names = {word for word in words if word.startswith("#")}
    values = {word for word in words if word.startswith(":")}
    assert words - names - values <= WORDS
    assert names == set(request.get("ExpressionAttributeNames", {}))
    assert values == set(request.get("ExpressionAttributeValues", {}))


def row_bytes(row: Mapping[str, Any]) -> int:
    sizes = (len(name) + len(value) for name, kinds in row.items() for value in kinds.values() if value is not True)
    return sum(sizes)


def rows_of(boto: Any, table: str) -> list[tuple[str, str]]:
    """Tell the keys of all rows of a table."""
    pages = boto.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk, sk", ConsistentRead=True)
    return sorted((row["pk"]["S"], row["sk"]["S"]) for page in pages for row in page["Items"])
