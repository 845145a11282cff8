"""The faults that a test can put into the stand-in model."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from openai import OpenAI

from local.model import faults
from tests.contract.stand_in_model.support import CHATS, MODEL, post, stream
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from local.model.server import StandInModel


def test_faults_come_one_by_one(model: StandInModel, client: OpenAI) -> None:
    model.script += [
        faults.rate_limited(0.5),
        faults.http_error(500),
        faults.http_error(401, code="invalid_api_key", headers={"x-should-retry": "false"}),
    ]
    with pytest.raises(openai.RateLimitError) as limited:
        client.responses.create(model=MODEL, input="Hi")
    assert limited.value.response.headers["retry-after"] == "0.5"
    assert_valid(limited.value.response.json(), "ErrorResponse")
    with pytest.raises(openai.InternalServerError):
        client.responses.create(model=MODEL, input="Hi")
    with pytest.raises(openai.AuthenticationError) as refused:
        client.responses.create(model=MODEL, input="Hi")
    assert refused.value.code == "invalid_api_key"
    assert client.responses.create(model=MODEL, input="Hi").status == "completed"


def test_the_sdk_retries_over_a_fault(model: StandInModel, client: OpenAI) -> None:
    model.script.append(faults.rate_limited(0.01))
    assert client.with_options(max_retries=1).responses.create(model=MODEL, input="Hi").status == "completed"
    assert model.calls["/v1/responses"] == 2


def test_a_connection_is_cut_in_the_body(model: StandInModel, http: httpx2.Client, client: OpenAI) -> None:
    model.script += [faults.cut_connection(), faults.cut_connection()]
    with pytest.raises(openai.APIConnectionError):
        client.responses.create(model=MODEL, input="Hi")
    received: list[str] = []
    with (
        pytest.raises(httpx2.RemoteProtocolError),
        http.stream("POST", "responses", json={"model": MODEL, "input": "Hi", "stream": True}) as answer,
    ):
        received.extend(answer.iter_lines())
    assert received[0] == "event: response.created"
    assert "event: response.completed" not in received


def test_an_answer_may_be_unreadable(model: StandInModel, http: httpx2.Client, client: OpenAI) -> None:
    model.script += [faults.malformed_json(), faults.malformed_json()]
    answer = http.post("chat/completions", json={"model": MODEL, **CHATS[0]})
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    with pytest.raises(json.JSONDecodeError):
        list(client.responses.create(model=MODEL, input="Hi", stream=True))


@pytest.mark.parametrize("streamed", [False, True])
def test_an_output_may_be_empty_refused_incomplete_or_failed(
    model: StandInModel, http: httpx2.Client, *, streamed: bool
) -> None:
    def asked() -> Any:
        if streamed:
            return stream(http, "responses", {"input": "Hi"}, "ResponseStreamEvent")[-1]["response"]
        return post(http, "responses", {"input": "Hi"}, "Response")

    model.script += [faults.empty_output(), faults.refusal("No."), faults.incomplete("content_filter"), faults.failed()]
    empty, refused, incomplete, failed = (asked() for _ in range(4))
    assert (empty["status"], empty["output"]) == ("completed", [])
    assert refused["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]
    assert (incomplete["status"], incomplete["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})
    assert incomplete["output"][0]["status"] == "incomplete"
    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")


def test_a_chat_completion_may_be_empty_refused_incomplete_or_failed(model: StandInModel, http: httpx2.Client) -> None:
    script = [faults.empty_output(), faults.refusal("No."), faults.incomplete("content_filter")]
    model.script += script
    answers = [post(http, "chat/completions", CHATS[0], "CreateChatCompletionResponse") for _ in script]
    empty, refused, incomplete = (answer["choices"][0] for answer in answers)
    assert (empty["message"]["content"], empty["finish_reason"]) == (None, "stop")
    assert (refused["message"]["content"], refused["message"]["refusal"]) == (None, "No.")
    assert incomplete["finish_reason"] == "content_filter"
    model.script += [faults.refusal("No."), faults.failed()]
    chunks = stream(http, "chat/completions", CHATS[0], "CreateChatCompletionStreamResponse")
    assert "".join(chunk["choices"][0]["delta"].get("refusal") or "" for chunk in chunks) == "No."
    assert http.post("chat/completions", json={"model": MODEL, **CHATS[0]}).status_code == 500


def test_an_answer_may_be_late(model: StandInModel, client: OpenAI) -> None:
    model.script.append(faults.slow(0.2))
    started = time.monotonic()
    client.responses.create(model=MODEL, input="Hi")
    assert time.monotonic() - started >= 0.2
    model.delay = 60
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.1).responses.create(model=MODEL, input="Hi")


@pytest.mark.parametrize("route", ["responses", "chat/completions"])
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_stream_breaks_where_it_is_told_to(model: StandInModel, http: httpx2.Client, route: str, after: int) -> None:
    body = {"model": MODEL, "stream": True, **({"input": "Hi"} if route == "responses" else CHATS[0])}
    for fault in (
        faults.cut_connection(after=after),
        faults.malformed_json(after=after),
        faults.error_event(after=after),
    ):
        model.script.append(fault)
        data: list[str] = []
        try:
            with http.stream("POST", route, json=body) as answer:
                for line in answer.iter_lines():
                    data.extend([line.removeprefix("data: ")] if line.startswith("data: ") else [])
        except httpx2.RemoteProtocolError:
            assert fault.damage == "cut"
            assert len(data) == after
            continue
        if fault.damage == "error":
            assert len(data) == after + 1
            told = json.loads(data[-1])
            assert told.get("type") == "error" or told["error"]["code"] == "server_error"
        else:
            with pytest.raises(json.JSONDecodeError):
                json.loads(data[after])


def test_a_provider_may_not_stream(model: StandInModel, http: httpx2.Client) -> None:
    model.script.append(faults.no_stream())
    answer = http.post("responses", json={"model": MODEL, "input": "Hi", "stream": True})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["status"] == "completed"


@pytest.mark.parametrize("route", ["responses", "chat/completions"])
def test_tokens_of_a_stream_take_their_time(
    model: StandInModel, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    waited: list[int] = []
    monkeypatch.setattr(model, "next_token", waited.append)
    body = {"input": "Hi"} if route == "responses" else CHATS[0]
    kind = "ResponseStreamEvent" if route == "responses" else "CreateChatCompletionStreamResponse"
    events = stream(http, route, body, kind)
    if route == "responses":
        tokens = sum(event["type"].endswith(".delta") for event in events)
    else:
        tokens = sum(bool(event["choices"][0]["delta"].get("content")) for event in events if event["choices"])
    assert waited == list(range(tokens))
    assert tokens > 1


def test_a_fault_can_wait_for_the_memory_functions_call(model: StandInModel, client: OpenAI) -> None:
    form: Any = {"type": "json_schema", "name": "memory_summary", "strict": True, "schema": {"type": "object"}}
    facts: Any = {**form, "name": "memory_facts"}
    model.script += [faults.only(faults.http_error(400), "memory_facts"), faults.blank_summary()]
    assert client.responses.create(model=MODEL, input="Hi").output_text
    noted = client.responses.create(model=MODEL, input="[1] user\nMy name is Bo.", text={"format": form})
    assert json.loads(noted.output_text)["summary"] == " "
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model=MODEL, input="[1] user", text={"format": facts})
    again = client.responses.create(model=MODEL, input="[1] user\nMy name is Bo.", text={"format": form})
    assert json.loads(again.output_text)["summary"] == "The user's name is Bo."
