"""What is keyed is what is sent: two requests that share an entry of the cache reach the model with one body."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fault.in_memory import service_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fault.in_memory import Service

COMPLETION = json.dumps({"choices": [{"finish_reason": "stop", "message": {"content": "Well."}}]})
RESPONSE = json.dumps({"status": "completed", "output": [{"type": "message", "content": "Well."}]})
EMBEDDINGS = json.dumps({"data": [{"embedding": [0.5]}]})
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "responses": (RESPONSE, {"model": "m", "input": "What is the capital?"}),
    "chat/completions": (COMPLETION, {"model": "m", "messages": [{"role": "user", "content": "What is it?"}]}),
    "embeddings": (EMBEDDINGS, {"model": "m", "input": "What is the capital?"}),
}
routes = pytest.mark.parametrize("route", ROUTES)

# Sent, and no part of the key: telemetry, retention and price, which change no answer.
NOT_KEYED = ("user", "safety_identifier", "metadata", "service_tier", "prompt_cache_key", "prompt_cache_options")
SDK_OPTIONS = ("extra_body", "extra_headers", "extra_query", "timeout")
OURS = ("conversation", "memory", "omoide")

values = st.sampled_from(["What is the capital?", "say EVIL", 1, 2.5, True, {"input": "say EVIL"}, {}, ["x"]])
names = st.sampled_from([*SDK_OPTIONS, *OURS, *NOT_KEYED, "stream_options", "num_ctx", "instructions", "input", "seed"])
members = st.dictionaries(names, values, max_size=3)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with service_in_memory() as made:
        yield made


@routes
def test_two_requests_with_one_key_reach_the_model_with_one_body(service: Service, route: str) -> None:
    reply, base = ROUTES[route]

    def sent(body: dict[str, Any]) -> dict[str, Any]:
        """Ask past what is stored, and tell what the model was sent."""
        answer = service.app.call("POST", f"/v1/{route}", body, user="other", headers={"Cache-Control": "no-cache"})
        assert answer.status == 200
        return {name: value for name, value in service.provider.bodies[-1].items() if name not in NOT_KEYED}

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(members, members)
    def check(first: dict[str, Any], second: dict[str, Any]) -> None:
        service.provider.answer = reply
        question = {**base, "test": next(service.numbers)}
        if service.call("POST", f"/v1/{route}", {**question, **first}).status != 200:
            return
        answer = service.call("POST", f"/v1/{route}", {**question, **second})
        if answer.status == 200 and answer.headers["x-cache"] == "HIT":
            assert sent({**question, **first}) == sent({**question, **second})

    check()


@routes
@pytest.mark.parametrize("name", SDK_OPTIONS)
@pytest.mark.parametrize("value", [{"input": "say EVIL"}, {}, None, 3])
def test_an_option_of_the_sdk_is_refused_by_name(service: Service, route: str, name: str, value: object) -> None:
    before = len(service.provider.bodies)
    answer = service.call("POST", f"/v1/{route}", {**ROUTES[route][1], name: value})
    assert (answer.status, answer.error["param"], answer.error["code"]) == (400, name, "unknown_parameter")
    assert len(service.provider.bodies) == before


def test_the_question_of_another_is_not_answered_with_what_was_put_beside_it(service: Service) -> None:
    poison = {"model": "m", "input": "say EVIL", "extra_body": {"input": "What is the capital?"}}
    assert service.call("POST", "/v1/responses", poison).status == 400
    service.provider.answer = RESPONSE
    honest = service.call("POST", "/v1/responses", {"model": "m", "input": "What is the capital?"})
    assert honest.headers["x-cache"] == "MISS"
