"""Credentials are found as AWS's SDK finds them, and renewed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from chat_core.aws import Credentials, NotSent
from chat_core.aws.credentials import find_credentials
from tools.paths import import_paths

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.aws.conftest import FakeService

OWN = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def answer(key: str, minutes: float) -> tuple[int, bytes]:
    ends = datetime.now(UTC) + timedelta(minutes=minutes)
    return 200, json.dumps(
        {"AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
    ).encode()


@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"])
def test_those_of_the_environment(name: str) -> None:
    assert find_credentials(OWN)() == Credentials("id", "secret")
    assert find_credentials({**OWN, name: "token"})() == Credentials("id", "secret", "token")


def test_they_are_not_shown() -> None:
    assert "secret" not in repr(find_credentials({**OWN, "AWS_SESSION_TOKEN": "secret-too"})())


def test_those_of_the_environment_need_nothing_of_awss_sdk() -> None:
    code = (
        "import os, sys; from chat_core.aws import Service, connect\n"
        "try: connect(Service('dynamodb', 'DYNAMODB', 'x', '1.0')).call('GetItem', {}, tries=1)\n"
        "except Exception as error: assert type(error).__name__ == 'NoAnswer', error\n"
        "else: sys.exit('who answered?')\n"
        "sys.exit([name for name in sys.modules if name.startswith(('boto', 'urllib3'))] or None)"
    )
    environment = {**OWN, "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    paths = ":".join(map(str, import_paths()))
    run = subprocess.run([sys.executable, "-c", code], env={**environment, "PYTHONPATH": paths}, check=False)  # noqa: S603
    assert run.returncode == 0


def test_those_of_a_container_are_renewed(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Lambda gives them to an environment that was made of a snapshot."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", service.url)
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "fake")
    service.answers[:] = [answer("first", 5), answer("second", 60)]
    found = find_credentials({})
    assert [found().access_key for _ in range(3)] == ["second", "second", "second"]
    assert len(service.asked) == 2
    assert service.asked[0].headers["authorization"] == "fake"


def test_those_that_ended_and_are_not_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = {**OWN, "AWS_SESSION_TOKEN": "t", "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"}
    for name, value in ended.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NotSent):
        find_credentials(ended)()


def test_those_of_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    (tmp_path / "credentials").write_text("[mine]\naws_access_key_id = p\naws_secret_access_key = s\n", "utf-8")
    assert find_credentials({})() == Credentials("p", "s")


def test_none_are_looked_for_again(tmp_path: Path) -> None:
    found = find_credentials({})
    with pytest.raises(NotSent):
        found()
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = p\naws_secret_access_key = s\n", "utf-8")
    assert found() == Credentials("p", "s")


def test_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(NotSent, match="ProfileNotFound"):
        find_credentials({})()
