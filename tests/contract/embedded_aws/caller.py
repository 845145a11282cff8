"""Calls an API of AWS's with a body as it is, which no client of AWS's would send."""

from __future__ import annotations

import binascii
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType

_SCOPE = "Credential=fake-id/20260101/{}/dynamodb/aws4_request"


def signature(region: str) -> str:
    """An ``Authorization`` for a region's DynamoDB."""
    return f"AWS4-HMAC-SHA256 {_SCOPE.format(region)}, SignedHeaders=host, Signature=0"


@dataclass(frozen=True)
class Answer:
    """Status and body; the body of what went wrong inside is nobody's business."""

    status: int
    body: Any


class Caller:
    """A connection that stays open."""

    def __init__(self, url: str) -> None:
        self.headers: dict[str, str] = {}
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.port = urlsplit(url).port

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def __call__(self, operation: str, body: Any, **headers: str) -> Answer:
        """Call DynamoDB, and check the checksum of what comes back."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {
            "Authorization": signature("us-east-1"),
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            **headers,
        }
        self._connection.request("POST", "/", content, sent)
        response = self._connection.getresponse()
        answered = response.read()
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        if response.status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
            return Answer(response.status, None)
        assert int(self.headers["x-amz-crc32"]) == binascii.crc32(answered)
        return Answer(response.status, json.loads(answered, object_hook=_unordered))


def _unordered(value: dict[str, Any]) -> dict[str, Any]:
    """Put a set's members in order: they have none."""
    return {name: sorted(each) if name in ("SS", "NS", "BS") else each for name, each in value.items()}
