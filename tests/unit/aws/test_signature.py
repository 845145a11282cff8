"""Signatures are those that AWS's own SDK makes of the same call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as TheirCredentials
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from chat_core.aws import Credentials, Endpoint
from chat_core.aws.signature import Signer, signing_key
from tests.unit.aws.conftest import KEYS

if TYPE_CHECKING:
    from chat_core.aws import AwsClient
    from tests.unit.aws.conftest import FakeService

HEADERS = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.GetItem"}


def theirs(url: str, headers: dict[str, str], body: bytes, keys: Credentials, moment: datetime) -> str:
    """Have botocore sign a call."""
    request = AWSRequest("POST", url, headers=headers, data=body)
    credentials = TheirCredentials(keys.access_key, keys.secret_key, keys.token or None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        SigV4Auth(credentials, "dynamodb", "eu-central-1").add_auth(request)
    return str(request.headers["Authorization"])


def test_the_key_is_that_of_awss_example() -> None:
    """AWS General Reference, "Examples of how to derive a signing key"."""
    key = signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20120215", "us-east-1", "iam")
    assert key.hex() == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"


@pytest.mark.parametrize("token", ["", "a/session+token=="])
@pytest.mark.parametrize(
    "url",
    [
        "https://dynamodb.eu-central-1.amazonaws.com",
        "https://dynamodb.eu-central-1.amazonaws.com:443/",
        "http://127.0.0.1:8123",
        "http://localhost:80/",
        "http://[::1]:8000/",
        "http://localhost:4566/aws/dynamodb",
    ],
)
def test_a_call_is_signed_as_by_botocore(url: str, token: str) -> None:
    keys = Credentials(KEYS.access_key, KEYS.secret_key, token)
    signer = Signer("dynamodb", Endpoint(url, "eu-central-1"))
    moment = datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    signed = signer.signed(HEADERS, b'{"TableName":"t"}', keys, moment.timestamp())
    assert signed["authorization"] == theirs(url, HEADERS, b'{"TableName":"t"}', keys, moment)


@given(
    st.binary(),
    st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001 - made UTC below
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1),
)
def test_whatever_is_sent_whenever(body: bytes, naive: datetime, secret: str) -> None:
    keys, moment = Credentials("AKID", secret), naive.replace(tzinfo=UTC, microsecond=0)
    signer = Signer("dynamodb", Endpoint("http://host", "eu-central-1"))
    for asked in (keys, KEYS, keys):  # the key of a day is kept for one secret
        signed = signer.signed(HEADERS, body, asked, moment.timestamp())
        assert signed["authorization"] == theirs("http://host", HEADERS, body, asked, moment)


def test_a_new_day_has_a_new_key() -> None:
    signer = Signer("dynamodb", Endpoint("http://host", "eu-central-1"))
    for day in (24, 25, 24):
        moment = datetime(2026, 11, day, tzinfo=UTC)
        signed = signer.signed(HEADERS, b"", KEYS, moment.timestamp())
        assert signed["authorization"] == theirs("http://host", HEADERS, b"", KEYS, moment)


def _signed_part(headers: dict[str, str]) -> dict[str, str]:
    listed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    return {name: headers[name] for name in listed if name != "x-amz-date"}


def test_what_arrives_is_what_was_signed_and_what_awss_client_would_send(
    service: FakeService, client: AwsClient
) -> None:
    """The service checks as DynamoDB does: it signs what it got, and compares."""
    request: dict[str, Any] = {"TableName": "t", "Key": {"pk": {"S": "あ"}, "data": {"B": b"\x00\xff"}}}
    client.call("GetItem", request)
    session = Session()
    session.set_credentials(KEYS.access_key, KEYS.secret_key)
    vendor = session.create_client(
        "dynamodb", "eu-central-1", endpoint_url=service.url, config=Config(retries={"total_max_attempts": 1})
    )
    vendor.get_item(**request)
    vendor.close()
    ours, vendors = service.asked
    for asked in (ours, vendors):
        moment = datetime.strptime(asked.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        signed = theirs(service.url, _signed_part(asked.headers), asked.body, KEYS, moment)
        assert asked.headers["authorization"] == signed
    assert ours.json == vendors.json
    for name in HEADERS:
        assert ours.headers[name] == vendors.headers[name]
    again = Signer("dynamodb", Endpoint(service.url, "eu-central-1")).signed(
        _signed_part(vendors.headers), vendors.body, KEYS, moment.timestamp()
    )
    assert again["authorization"] == vendors.headers["authorization"]
