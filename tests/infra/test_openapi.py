"""docs/openapi.json is what its command writes, and the description finds what is not as described."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from local.application import read_application
from tests import described
from tests.infra import stack
from tools import openapi

if TYPE_CHECKING:
    from pathlib import Path

    from local.application import Application

ANSWER = {"version": "0.1.0"}


def test_the_file_is_what_the_command_writes() -> None:
    assert described.FILE.read_text("utf-8") == openapi.written(openapi.make()), "make openapi"


def test_it_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(described.description()).iter_errors()] == []


def test_every_route_of_the_template_is_described_and_no_other() -> None:
    found = {(method.upper(), path) for path, item in described.description()["paths"].items() for method in item}
    assert found == {(method, path) for method, path in stack.routes() if method != "ANY"}


def test_only_what_asks_for_no_user_says_so() -> None:
    open_routes = {
        event["Properties"]["Path"]
        for properties in stack.functions().values()
        for event in properties.get("Events", {}).values()
        if "Auth" in event.get("Properties", {}) and event["Properties"]["Method"] != "ANY"
    }
    paths = described.description()["paths"]
    assert {path for path, item in paths.items() for one in item.values() if one.get("security") == []} == open_routes


def test_names_of_operations_differ() -> None:
    names = [one["operationId"] for item in described.description()["paths"].values() for one in item.values()]
    assert len(set(names)) == len(names)


def test_a_route_without_words_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_one(path: Path) -> Application:
        application = read_application(path)
        return replace(application, routes=application.routes[1:])

    monkeypatch.setattr(openapi, "read_application", without_one)
    with pytest.raises(openapi.NotDescribed, match="/v1/"):
        openapi.make()


@pytest.mark.parametrize(
    ("method", "path", "status", "kind", "body"),
    [
        ("GET", "/health", 200, "application/json", {"version": 1}),
        ("GET", "/health", 200, "application/json", {**ANSWER, "more": 1}),
        ("GET", "/health", 200, "text/plain", ANSWER),
        ("GET", "/v1/models", 200, "application/json", {"object": "list", "data": [{"id": "a"}]}),
        ("GET", "/v1/models/a%2Fb", 404, "application/json", {"error": "none"}),
        ("GET", "/v1/nothing", 200, "application/json", {}),
    ],
)
def test_what_is_not_as_described_is_found(method: str, path: str, status: int, kind: str, body: Any) -> None:
    with pytest.raises(AssertionError):
        described.check(method, path, status, kind, json.dumps(body))


@pytest.mark.parametrize(
    ("frames", "right"),
    [
        (['{"type":"error","code":null,"message":"m","param":null,"sequence_number":3}'], True),
        (['{"type":"error","message":"m","sequence_number":3}'], False),
        (['{"type":"response.invented","sequence_number":3}'], False),
    ],
)
def test_events_of_streams_are_held(frames: list[str], right: bool) -> None:
    held = described.Held()
    request = httpx2.Request("POST", "http://127.0.0.1/v1/responses")
    response = httpx2.Response(200, headers={"content-type": "text/event-stream; charset=utf-8"})
    content = "".join(f"event: x\ndata: {frame}\n\n" for frame in [*frames, "[DONE]"]).encode()
    held.answer(request, response, content + b"data: half", whole=False)
    assert (held.checked, held.wrong == []) == (1, right)
