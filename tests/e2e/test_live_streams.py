"""The stock SDK reads turns while the model makes them: what breaks, who leaves, and who comes again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import openai
import pytest

from local.model import faults
from tests.held_model import PATIENCE, holding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai import OpenAI

    from local.model.server import StandInModel
    from tests.held_model import Held

MODEL = "gpt-4.1-mini"


@pytest.fixture
def held(model: StandInModel) -> Iterator[Held]:
    with holding(model) as made:
        yield made


@pytest.fixture
def place() -> str:
    return f"live-{uuid4().hex}"


def question() -> str:
    return f"Tell me of {uuid4().hex}, please: " + "word " * 30


def begin(client: OpenAI, place: str, held: Held, **more: Any) -> Any:
    """Begin a turn, and read it until the model is held back."""
    stream = client.responses.create(model=MODEL, input=question(), stream=True, conversation=place, **more)
    deltas = 0
    for event in stream:
        deltas += event.type == "response.output_text.delta"
        if deltas == 3:
            break
    assert held.reached.wait(PATIENCE)
    return stream


def items(client: OpenAI, place: str) -> list[Any]:
    try:
        return client.conversations.items.list(place, order="asc").data
    except openai.NotFoundError:
        return []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_a_turn_is_in_the_history_when_its_last_event_comes_and_not_before(
    client: OpenAI, place: str, held: Held
) -> None:
    stream = begin(client, place, held)
    assert items(client, place) == []
    held.go.set()
    *_, last = stream
    assert last.type == "response.completed"
    answer, shown = last.response.to_dict(), items(client, place)[1].to_dict()
    assert [shown] == [{**one, "omoide": shown["omoide"]} for one in answer["output"]]
    assert shown["omoide"]["turn_id"] == answer["omoide"]["turn_id"]


def test_a_conversation_that_is_erased_in_the_middle_stays_erased(client: OpenAI, place: str, held: Held) -> None:
    stream = begin(client, place, held)
    client.conversations.delete(place)
    held.go.set()
    with pytest.raises(openai.APIError) as raised:
        list(stream)
    assert raised.value.code == "not_found"
    assert items(client, place) == []
    assert client.responses.create(model=MODEL, input="Hello", conversation=place).output_text


def test_a_model_that_breaks_off_raises_and_the_next_turn_goes_on(
    client: OpenAI, model: StandInModel, place: str
) -> None:
    for fault in (faults.cut_connection(after=8), faults.malformed_json(after=8), faults.error_event(after=8)):
        model.script.append(fault)
        stream = client.responses.create(model=MODEL, input=question(), stream=True, conversation=place)
        heard: list[str] = []
        with pytest.raises(openai.APIError) as raised:
            heard.extend(event.type for event in stream)
        assert raised.value.code == "upstream_error"
        assert heard[-1] == "response.failed"
        assert items(client, place) == []
    with client.responses.stream(model=MODEL, input=question(), conversation=place) as following:
        assert following.get_final_response().status == "completed"
    assert len(items(client, place)) == 2


def test_a_chat_completion_that_breaks_off_raises(client: OpenAI, model: StandInModel) -> None:
    model.script.append(faults.cut_connection(after=4))
    messages: Any = [{"role": "user", "content": question()}]
    with pytest.raises(openai.APIError) as raised:
        list(client.chat.completions.create(model=MODEL, messages=messages, stream=True))
    assert raised.value.code == "upstream_error"


def test_a_client_that_leaves_changes_nothing(client: OpenAI, place: str, held: Held) -> None:
    begin(client, place, held).close()
    held.go.set()
    until(lambda: len(items(client, place)) == 2)
    assert client.responses.create(model=MODEL, input="Hello", conversation=place).output_text


def test_a_key_that_comes_again_is_told_to_wait_and_then_answered(client: OpenAI, place: str, held: Held) -> None:
    once: Any = {"extra_headers": {"Idempotency-Key": uuid4().hex}}
    asked = question()
    impatient: Any = client.with_options(max_retries=0)

    def again(**more: Any) -> Any:
        return impatient.responses.with_raw_response.create(
            model=MODEL, input=asked, conversation=place, **once, **more
        )

    stream = client.responses.create(model=MODEL, input=asked, stream=True, conversation=place, **once)
    next(iter(stream))
    assert held.reached.wait(PATIENCE)
    stream.close()
    with pytest.raises(openai.ConflictError) as running:
        again(stream=True)
    assert running.value.code == "idempotency_in_progress"
    assert 0 < int(running.value.response.headers["retry-after-ms"]) <= 30_000
    held.go.set()
    until(lambda: len(items(client, place)) == 2)
    replay = again(stream=True)
    assert replay.headers["idempotent-replayed"] == "true"
    events = list(replay.parse())
    assert [event.sequence_number for event in events] == list(range(len(events)))
    whole = again().parse()
    assert events[-1].response.to_dict() == whole.to_dict()
    assert len(items(client, place)) == 2


def test_nobody_appends_while_a_turn_streams(client: OpenAI, place: str, held: Held) -> None:
    stream = begin(client, place, held)
    with pytest.raises(openai.ConflictError) as locked:
        client.with_options(max_retries=0).conversations.items.create(
            place, items=[{"type": "message", "role": "user", "content": "Between"}]
        )
    assert locked.value.code == "conversation_locked"
    held.go.set()
    *_, last = stream
    assert [item.id for item in items(client, place)][1] == last.response.output[0].id


def test_streams_of_the_same_request_at_once_are_one_call_of_the_model(
    client: OpenAI, model: StandInModel, held: Held
) -> None:
    asked, calls = question(), model.calls["/v1/responses"]

    def read(_: int) -> tuple[str, str]:
        raw = client.responses.with_raw_response.create(model=MODEL, input=asked, stream=True)
        text = "".join(event.delta for event in raw.parse() if event.type == "response.output_text.delta")
        return raw.headers["x-cache"], text

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(read, number) for number in range(4)]
        assert held.reached.wait(PATIENCE)
        time.sleep(0.3)  # for the others to come, or else they find it in the cache
        held.go.set()
        heard = [answer.result() for answer in answers]
    assert model.calls["/v1/responses"] == calls + 1
    assert sorted(cache for cache, _ in heard) == ["HIT", "HIT", "HIT", "MISS"]
    assert len({text for _, text in heard}) == 1
