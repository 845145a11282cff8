"""The key of the model's provider: it may be rotated while an environment lives."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.errors import UpstreamCredentialsRefused
from chat_core.model.openai import OpenAIModel
from local.model import faults
from local.model.server import StandInModel

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = {"model": "gpt-4.1-mini", "input": "Hello"}
OLD, NEW = "sk-fake-old", "sk-fake-new"


@pytest.fixture
def provider() -> Iterator[StandInModel]:
    with StandInModel() as running:
        yield running


class Keys:
    """A secret that was rotated: what was read before is remembered until it is read anew."""

    def __init__(self) -> None:
        self.asked: list[bool] = []

    def __call__(self, refresh: bool) -> str:
        self.asked.append(refresh)
        return NEW if refresh else OLD


def ask(provider: StandInModel, keys: Keys, times: int = 1) -> list[dict[str, Any]]:
    async def main() -> list[dict[str, Any]]:
        model = OpenAIModel(keys, provider.base_url)
        try:
            return [await model.post("responses", BODY, timeout=10.0) for _ in range(times)]
        finally:
            await model.aclose()

    return asyncio.run(main())


def test_a_key_that_is_refused_is_read_anew_and_the_new_one_kept(provider: StandInModel) -> None:
    keys = Keys()
    provider.script.append(faults.http_error(401))
    first, second = ask(provider, keys, 2)
    assert (first["status"], second["status"]) == ("completed", "completed")
    assert keys.asked == [False, True]


def test_a_new_key_that_is_refused_too_is_the_operators_business(provider: StandInModel) -> None:
    keys = Keys()
    provider.script.extend([faults.http_error(401)] * 2)
    with pytest.raises(UpstreamCredentialsRefused):
        ask(provider, keys)
    assert keys.asked == [False, True]


def test_a_failure_of_another_kind_leaves_the_key_alone(provider: StandInModel) -> None:
    keys = Keys()
    provider.script.append(faults.http_error(500))
    [answer] = ask(provider, keys)
    assert answer["status"] == "completed"
    assert keys.asked == [False]


def test_calls_side_by_side_have_one_client_and_survive_a_rotated_key(provider: StandInModel) -> None:
    keys = Keys()
    # Both are refused before either comes again: the new key is refused to nobody.
    provider.script.extend([replace(faults.http_error(401), delay=1.0)] * 2)

    async def main() -> list[Any]:
        model = OpenAIModel(keys, provider.base_url)
        clients = await asyncio.gather(*(model._connect() for _ in range(3)))
        assert len({id(client) for client in clients}) == 1
        try:
            return list(await asyncio.gather(*(model.post("responses", BODY, timeout=10.0) for _ in range(4))))
        finally:
            await model.aclose()

    assert [answer["status"] for answer in asyncio.run(main())] == ["completed"] * 4
