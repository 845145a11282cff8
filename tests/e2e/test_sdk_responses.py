"""Stored responses by the stock OpenAI SDK against the running server: gone on from, read, replayed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from tests.dev_server import RunningServer


@pytest.fixture
def client(server: RunningServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key="local")


def test_three_turns_by_their_responses_alone(client: openai.OpenAI) -> None:
    first = client.responses.create(model="gpt-4.1-mini", input="My name is Naomi Watanabe.")
    second = client.responses.create(model="gpt-4.1-mini", input="Thank you.", previous_response_id=first.id)
    with client.responses.stream(
        model="gpt-4.1-mini", input="What is my name?", previous_response_id=second.id
    ) as stream:
        third = stream.get_final_response()
    assert "Naomi Watanabe" in third.output_text
    for told in (first, second, third):
        read = client.responses.retrieve(told.id)
        assert read.output_text == told.output_text
        assert_valid(read.to_dict(mode="json"), "Response")
    assert (first.to_dict()["store"], third.previous_response_id) == (True, second.id)
    # From the first one once more: a branch, which does not know the thanks.
    aside = client.responses.create(model="gpt-4.1-mini", input="What is my name?", previous_response_id=first.id)
    assert "Naomi Watanabe" in aside.output_text
    assert aside.id[:21] != first.id[:21] == third.id[:21]


def test_a_response_is_replayed_listed_and_deleted(client: openai.OpenAI) -> None:
    made = client.responses.create(
        model="gpt-4.1-mini", input=[{"role": "user", "content": f"part {number}"} for number in range(3)]
    )
    events = list(client.responses.retrieve(made.id, stream=True))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert list(client.responses.retrieve(made.id, stream=True, starting_after=2)) == events[3:]
    items = client.responses.input_items.list(made.id, order="asc", limit=2)
    assert [item.content[0].text for item in items] == ["part 0", "part 1", "part 2"]  # type: ignore[union-attr,index]
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="gpt-4.1-mini", input="on", previous_response_id=made.id)
    assert (refused.value.param, refused.value.code) == ("previous_response_id", "previous_response_not_found")
