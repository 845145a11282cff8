"""A vendor's key comes out of a secret whatever its owner put in, or the log says what is wrong with it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from chat.wiring import make_chat
from chat_core.api import errors as api_errors
from chat_core.errors import CacheUnavailable, SecretUnavailable
from chat_core.model.openai import OpenAIModel
from chat_core.momento import Breaker, MomentoCache, MomentoResponseCache
from chat_core.secrets import SecretKey, read_key, shelf
from chat_core.settings import ChatSettings, MomentoSettings
from chat_core.wiring import CredentialsFrom
from local.embedded_aws import EmbeddedAws
from local.model.server import StandInModel

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "sk-fake-not-a-key"
NAME = "omoide-key"
REQUEST = {"model": "gpt-4.1-mini", "input": "Hi"}


def forget() -> None:
    """Be an environment that has asked for no secret."""
    if shelf.cache_info().currsize:
        shelf().client.close()
    shelf.cache_clear()


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with EmbeddedAws(0) as aws, pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "fake",
            "AWS_SECRET_ACCESS_KEY": "fake",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            environment.setenv(name, value)
        yield boto3.client("secretsmanager")
        forget()


@pytest.fixture
def secrets(client: Any) -> Iterator[Any]:
    """Secrets Manager without a secret."""
    forget()
    yield client
    for secret in client.list_secrets()["SecretList"]:
        client.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


def fill(secrets: Any, text: str) -> None:
    try:
        secrets.put_secret_value(SecretId=NAME, SecretString=text)
    except secrets.exceptions.ResourceNotFoundException:
        secrets.create_secret(Name=NAME, SecretString=text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (KEY, SecretKey(KEY)),
        (f"  {KEY}\n", SecretKey(KEY)),
        (json.dumps(KEY), SecretKey(KEY)),
        ("12345", SecretKey("12345")),
        (json.dumps({"api_key": KEY}), SecretKey(KEY)),
        (json.dumps({"api_key": f" {KEY} ", "endpoint": "cache.example"}), SecretKey(KEY, "cache.example")),
    ],
)
def test_a_key_is_read_in_each_form(secrets: Any, text: str, key: SecretKey) -> None:
    fill(secrets, text)
    assert read_key(NAME) == key
    assert KEY not in repr(key)


WRONG = [
    (" ", "blank"),
    ("{}", "api_key"),
    (json.dumps({"OPENAI_API_KEY": KEY}), "api_key"),
    (json.dumps({"api_key": ""}), "blank"),
    (json.dumps({"api_key": None}), "blank"),
    ('"\\n"', "blank"),
    (f"{KEY}\nOPENAI_ORG=x", "character"),
    ("鍵", "character"),
    (None, "ResourceNotFoundException"),
]


@pytest.mark.parametrize(("text", "why"), WRONG)
def test_a_wrong_secret_is_named_in_the_log_and_works_once_it_is_filled(
    secrets: Any, caplog: pytest.LogCaptureFixture, text: str | None, why: str
) -> None:
    if text is not None:
        fill(secrets, text)
    for refresh in (False, True, False):
        with pytest.raises(SecretUnavailable) as missing:
            read_key(NAME, refresh=refresh)
        line = vars(caplog.records.pop())
        assert (line["msg"], line["secret_id"]) == ("secret_unavailable", NAME)
        assert why in line["reason"]
        assert not caplog.records
        assert KEY not in str(line)
        assert KEY not in str(missing.value)
    fill(secrets, KEY)
    assert read_key(NAME) == SecretKey(KEY)


def test_that_nobody_answers_is_in_the_log(
    secrets: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(secrets, KEY)
    with monkeypatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")
        with pytest.raises(SecretUnavailable):
            read_key(NAME)
    assert "ConnectionRefusedError" in vars(caplog.records.pop())["reason"]
    forget()
    assert read_key(NAME) == SecretKey(KEY)


def test_a_usable_key_is_remembered_until_a_vendor_refuses_it(secrets: Any) -> None:
    fill(secrets, KEY)
    assert read_key(NAME) == SecretKey(KEY)
    fill(secrets, "sk-fake-rotated")
    assert read_key(NAME) == SecretKey(KEY)
    assert read_key(NAME, refresh=True) == SecretKey("sk-fake-rotated")
    assert read_key(NAME) == SecretKey("sk-fake-rotated")


def test_the_owners_mistake_is_503_and_no_sdk_tries_again(secrets: Any) -> None:
    with pytest.raises(SecretUnavailable) as missing:
        read_key(NAME)
    answer = api_errors.error_response(missing.value)
    assert answer.status_code == 503
    assert answer.headers["x-should-retry"] == "false"
    error = json.loads(str(answer.body))["error"]
    assert (error["code"], error["type"]) == ("secret_unavailable", "server_error")


def test_the_model_answers_as_soon_as_its_secret_is_filled(secrets: Any) -> None:
    fill(secrets, "{}")

    async def main(base_url: str) -> None:
        model = make_chat(
            ChatSettings.from_env({"HISTORY_TABLE": "none", "OPENAI_SECRET_ID": NAME, "OPENAI_BASE_URL": base_url})
        ).model
        assert isinstance(model, OpenAIModel)
        for _ in range(3):
            with pytest.raises(SecretUnavailable):
                await model.post("responses", REQUEST, timeout=5)
        fill(secrets, json.dumps({"api_key": KEY}))
        answer = await model.post("responses", REQUEST, timeout=5)
        assert answer["object"] == "response"
        await model.aclose()

    with StandInModel() as stand_in:
        asyncio.run(main(stand_in.base_url))


def test_the_cache_is_asked_again_at_each_call_until_its_secret_is_filled(secrets: Any) -> None:
    fill(secrets, " ")

    async def main() -> None:
        breaker = Breaker()
        cache = MomentoCache("omoide", CredentialsFrom(MomentoSettings(secret_id=NAME)), breaker=breaker)
        for _ in range(5):
            with pytest.raises(CacheUnavailable, match="secret"):
                await MomentoResponseCache(cache).get("llm:1", timeout=5)
        assert not breaker.is_open

    asyncio.run(main())
