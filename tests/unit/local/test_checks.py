from __future__ import annotations

import base64
import json
import socket

import grpc
import pytest

from chat_core.momento import MomentoCredentials
from local.checks import host_of, model_complaint, momento_complaint
from local.momento import EmbeddedMomento
from local.services import StartError, start_model, start_momento

SECRET = "fake-and-never-told"


def key_of(endpoint: str) -> str:
    """A key of the first generation, which holds its endpoint."""
    return base64.b64encode(json.dumps({"endpoint": endpoint, "api_key": SECRET}).encode()).decode()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.openai.com/v1", "api.openai.com"),
        ("http://name:fake-password@127.0.0.1:11434/v1?key=fake", "127.0.0.1:11434"),
    ],
)
def test_of_an_address_the_host_is_told_alone(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("url", ["nonsense", "ftp://host/v1", "http://", "http://host:99999/v1", "http://[::1"])
def test_what_is_no_address_keeps_the_server_from_starting(url: str) -> None:
    with pytest.raises(StartError, match="OPENAI_BASE_URL must be an address"):
        start_model({"OPENAI_BASE_URL": url})


def test_a_model_that_listens_has_nothing_said_of_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert model_complaint(f"{url}/v1") == ""
        assert "no path" in model_complaint(url)


def test_a_model_that_nobody_answers_for_is_told_with_its_host() -> None:
    service = start_model({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": SECRET})
    assert service.description.startswith("the one that OPENAI_BASE_URL names, 127.0.0.1:9: it cannot be reached (")
    assert SECRET not in service.description


@pytest.mark.parametrize("key", ["nonsense", SECRET, ""])
def test_a_key_of_momento_that_is_none_is_told(key: str) -> None:
    assert "none that its SDK knows" in momento_complaint(MomentoCredentials(key), "omoide")


def test_a_momento_that_nobody_answers_for_is_told_with_its_host() -> None:
    description = start_momento({"MOMENTO_API_KEY": key_of("127.0.0.1:9")}).description
    assert description.startswith("the one that MOMENTO_API_KEY names: ")
    assert "127.0.0.1:9" in description
    assert description.endswith("turns go on without the cache")
    assert SECRET not in description


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "refuses the key"),
        (grpc.StatusCode.PERMISSION_DENIED, "refuses the key"),
        (grpc.StatusCode.NOT_FOUND, "has no cache of the name omoide"),
        (None, ""),
    ],
)
def test_what_momento_answers_is_told(code: grpc.StatusCode | None, said: str) -> None:
    with EmbeddedMomento() as momento:
        start_momento({"MOMENTO_LOCAL": f"127.0.0.1:{momento.port}"})
        if code is not None:
            momento.faults.fail("Get", code=code)
        complaint = momento_complaint(MomentoCredentials(local=f"127.0.0.1:{momento.port}"), "omoide")
    assert said in complaint
    assert bool(complaint) == bool(said)
