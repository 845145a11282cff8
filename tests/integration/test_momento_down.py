"""Momento refusing, hanging, slow or wiped: every request is answered, and nothing is asked again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI

from chat_core.momento.breaker import OPEN_SECONDS
from local.model.server import StandInModel
from local.momento import EmbeddedMomento
from tests.dev_server import running_server
from tests.ports import held_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHAT = "gpt-4.1-mini"


@pytest.fixture(scope="module")
def momento() -> Iterator[EmbeddedMomento]:
    with held_port() as port, EmbeddedMomento(port) as momento:
        yield momento


@pytest.fixture(scope="module")
def client(momento: EmbeddedMomento) -> Iterator[OpenAI]:
    """A client of a server with one environment, so that it is one breaker that opens."""
    with StandInModel() as model:
        variables = {"MOMENTO_LOCAL": f"127.0.0.1:{momento.port}", "OPENAI_BASE_URL": model.base_url}
        with (
            running_server(variables, ["--environments", "1"]) as server,
            OpenAI(base_url=server.url, api_key="fake-token", max_retries=0) as client,
        ):
            yield client


def refuse(momento: EmbeddedMomento) -> None:
    momento.faults.fail()


def hang(momento: EmbeddedMomento) -> None:
    momento.faults.hang()


def slow(momento: EmbeddedMomento) -> None:
    momento.faults.delay(0.4)


def over_quota(momento: EmbeddedMomento) -> None:
    momento.faults.exceed_quota()


def stop(momento: EmbeddedMomento) -> None:
    momento.stop()


@pytest.mark.parametrize("fault", [refuse, hang, slow, over_quota, stop])
def test_every_request_is_answered_and_the_breaker_opens(
    client: OpenAI, momento: EmbeddedMomento, fault: Callable[[EmbeddedMomento], None]
) -> None:
    fault(momento)
    arrived = momento.meter.snapshot().calls
    reasons: list[Any] = []
    begun = time.monotonic()
    for number in range(12):
        text = f"{fault.__name__} {number}"
        chat = client.chat.completions.with_raw_response.create(
            model=CHAT, messages=[{"role": "user", "content": text}]
        )
        assert chat.parse().choices[0].message.content
        assert client.responses.create(model=CHAT, input=text).output_text
        vectors = client.embeddings.create(model="text-embedding-3-small", input=[text, "x", "y"], dimensions=8)
        assert len(vectors.data) == 3
        reasons.append(chat.headers["cache-status"])
    calls = momento.meter.snapshot().calls
    momento.faults.clear()
    if fault is stop:
        momento.start()
    probes = 1 + (time.monotonic() - begun) // OPEN_SECONDS
    assert "omoide; fwd=bypass; detail=cache-breaker-open" in reasons[-2:]  # one of them may have been a probe
    # 36 requests ask for 60 values. What comes before the breaker opens, and the probes, each with the SDK's retries.
    assert sum(calls.values()) - sum(arrived.values()) <= 36 + 4 * probes


def test_a_wiped_momento_is_asked_anew(client: OpenAI, momento: EmbeddedMomento) -> None:
    for _ in range(3):
        assert client.responses.create(model=CHAT, input="wiped").output_text
        momento.wipe()
