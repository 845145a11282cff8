"""Environments killed by SIGKILL at each step of a turn, and twenty callers at once: through the dev server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from openai import APIError, NotFoundError, OpenAI

from local.model.server import StandInModel
from tests.fault.killing_server import ENVIRONMENTS, killing_server
from tests.nightly import NIGHTLY
from tests.patience import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.responses import Response

    from tests.dev_server import RunningServer

# Environments that start anew: on a busy machine they take their time.
pytestmark = pytest.mark.timeout(400)

POINTS = [
    f"kill:{point}"
    for point in (
        "before:take",
        "after:take",
        "before:post",
        "after:post",
        "before:commit",
        "after:commit",
        "after:append_history",
        "before:head",
        "after:head",
    )
]


@pytest.fixture(scope="module")
def model() -> Iterator[StandInModel]:
    with StandInModel() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model: StandInModel) -> Iterator[RunningServer]:
    # What is paid once is in the response cache, however busy the machine.
    variables = {"OPENAI_BASE_URL": model.base_url, **VARIABLES}
    with killing_server(tmp_path_factory.mktemp("killing"), variables) as running:
        yield running


@pytest.fixture(scope="module")
def openai(server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.url, api_key="local", max_retries=30, timeout=60) as made:
        yield made


def test_a_kill_at_any_step_and_the_sdks_retry_make_one_turn(
    server: RunningServer, model: StandInModel, openai: OpenAI
) -> None:
    def run(point: str) -> tuple[list[str], int]:
        answer = openai.responses.create(model="m", conversation=point, input=f"text of {point}")
        page = openai.conversations.items.list(point, order="asc")
        texts = [item.content[0].text for item in page.data]  # type: ignore[union-attr,index]
        assert texts[1] == answer.output_text
        following = openai.responses.create(model="m", conversation=point, input="next")
        assert following.output_text
        return texts, len(openai.conversations.items.list(point).data)

    # No more than there are environments: one that starts anew takes a busy machine seconds.
    with ThreadPoolExecutor(ENVIRONMENTS) as threads:
        results = dict(zip(POINTS, threads.map(run, POINTS), strict=True))
    for point, (texts, count) in results.items():
        assert (texts[0], len(texts), count) == (f"text of {point}", 2, 4), point
    assert server.output().count("ended with signal 9") == len(POINTS)
    # Paid once, but where the answer was lost between the model and the response cache.
    asked = [str(request["input"][-1]["content"]) for request in model.requests]
    again = {point for point in POINTS if asked.count(f"text of {point}") > 1}
    assert again <= {"kill:after:post"}


def test_a_kill_at_any_event_of_a_stream_leaves_nothing_and_the_request_comes_again(
    server: RunningServer, model: StandInModel, openai: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "token", 0.05)
    killed = server.output().count("ended with signal 9")
    whole = openai.responses.create(model="m", input="a stream " + "word " * 20, stream=True)
    # At each in the nightly run: an environment that starts anew costs a second of a processor.
    every = range(0, len(list(whole)) - 1, 1 if NIGHTLY else 5)

    def run(number: int) -> tuple[int, list[str], Any]:
        point, broken = f"kill:event:{number}", 0
        request: Any = {"model": "m", "conversation": point, "input": f"text of {point} " + "word " * 20}
        request["extra_headers"] = {"Idempotency-Key": point}
        while True:
            try:
                *_, last = openai.responses.create(**request, stream=True)
                break
            except APIError:
                broken += 1
                assert not_there(openai, point)
        page = openai.conversations.items.list(point, order="asc")
        return broken, [str(item.id) for item in page.data], last

    # A lease of one that was killed is waited for side by side.
    with ThreadPoolExecutor(len(every)) as threads:
        results = dict(zip(every, threads.map(run, every), strict=True))
    for number, (broken, ids, last) in results.items():
        # One of which nothing has gone out is a 502, which the SDK tries again by itself.
        assert broken <= (1 if number else 0), number
        assert len(ids) == 2
        assert (last.type, last.response.output[0].id) == ("response.completed", ids[1])
    assert results[every[-1]][0] == 1
    assert server.output().count("ended with signal 9") == killed + len(every)


def test_a_kill_in_a_branch_or_at_a_stored_response_and_the_retry_make_one(
    server: RunningServer, model: StandInModel, openai: OpenAI
) -> None:
    killed = server.output().count("ended with signal 9")

    def branch() -> Response:
        point = "kill:after:branch"
        first = openai.responses.create(model="m", conversation=point, input="first")
        key = {"Idempotency-Key": point}
        return openai.responses.create(
            model="m", previous_response_id=first.id, input="a kill in a branch", extra_headers=key
        )

    def alone() -> Response:
        return openai.responses.create(model="m", input="a kill alone", metadata={"ends": "kill:before:put"})

    with ThreadPoolExecutor(2) as threads:
        answers = [made.result() for made in [threads.submit(branch), threads.submit(alone)]]
    for answer, text in zip(answers, ("a kill in a branch", "a kill alone"), strict=True):
        assert openai.responses.retrieve(answer.id).output == answer.output
        assert sum(text in str(request["input"]) for request in model.requests) == 1, text
    assert server.output().count("ended with signal 9") == killed + len(answers)


def not_there(openai: OpenAI, conversation: str) -> bool:
    try:
        return openai.conversations.items.list(conversation).data == []
    except NotFoundError:
        return True


def test_twenty_callers_at_once(model: StandInModel, openai: OpenAI) -> None:
    calls = model.calls["/v1/responses"]

    def post(number: int) -> str:
        return openai.responses.create(model="m", conversation="crowd", input=f"caller {number}.").output_text

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(post, range(20)))
    items = openai.conversations.items.list("crowd", order="asc", limit=100).data
    texts = [item.content[0].text for item in items]  # type: ignore[union-attr,index]
    assert [item.role for item in items] == ["user", "assistant"] * 20  # type: ignore[union-attr]
    assert sorted(texts[0::2]) == sorted(f"caller {number}." for number in range(20))
    for number, answer in enumerate(answers):
        assert texts[texts.index(f"caller {number}.") + 1] == answer
    assert model.calls["/v1/responses"] == calls + 20
