"""The models that may be named, from the operator's settings and the provider's list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import chat.handler
from chat.wiring import ChatParts, make_chat
from chat_core.api import event_loop
from chat_core.settings import ChatSettings
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.app import App


@pytest.fixture
def parts(app: App) -> Iterator[dict[str, str]]:
    """Variables of the next environment."""
    variables = {"HISTORY_TABLE": "none", "OPENAI_BASE_URL": app.model.base_url, "OPENAI_API_KEY": "sk-fake"}
    made: list[ChatParts] = []

    def parts() -> ChatParts:
        if not made:
            made.append(make_chat(ChatSettings.from_env(variables)))
        return made[0]

    chat.handler.app.dependency_overrides[chat.handler.parts] = parts
    yield variables
    chat.handler.app.dependency_overrides.clear()
    for one in made:
        event_loop.run(one.model.aclose())  # type: ignore[attr-defined]


def names(app: App) -> list[str]:
    answer = app.call("GET", "/v1/models")
    assert answer.status == 200, answer.body
    assert answer.body["object"] == "list"
    for model in answer.body["data"]:
        assert {"id", "object", "created", "owned_by"} <= set(model)
        assert model["object"] == "model"
    return [model["id"] for model in answer.body["data"]]


def test_all_of_the_providers_are_listed_with_ones_own_first(app: App, parts: dict[str, str]) -> None:
    parts["CHAT_MODEL"] = "my-model"
    assert names(app) == ["my-model", "text-embedding-3-small", "gpt-4.1-mini"]
    before = app.model.calls["/v1/models"]
    assert names(app)[0] == "my-model"
    assert app.call("GET", "/v1/models/gpt-4.1-mini").body["owned_by"] == "offline stand-in"
    assert app.model.calls["/v1/models"] == before  # remembered
    assert app.call("GET", "/v1/models/my-model").body["owned_by"] == "omoide"


def test_the_allowed_ones_alone_are_listed_and_nobody_is_asked(app: App, parts: dict[str, str]) -> None:
    parts |= {"ALLOWED_MODELS": "b/large, a", "CHAT_MODEL": "gpt-4.1-mini"}
    before = app.model.calls["/v1/models"]
    assert names(app) == ["a", "b/large"]
    assert app.call("GET", "/v1/models/b%2Flarge").body["id"] == "b/large"
    refused = app.call("GET", "/v1/models/gpt-4.1-mini")
    assert (refused.status, refused.error["code"], refused.error["param"]) == (404, "model_not_found", "model")
    assert app.model.calls["/v1/models"] == before


def test_an_unknown_model_is_404_in_openais_words(app: App, parts: dict[str, str]) -> None:
    answer = app.call("GET", "/v1/models/no-such-model")
    assert answer.status == 404
    assert_valid(answer.body, "ErrorResponse")
    assert "no-such-model" in answer.error["message"]
    assert (answer.error["type"], answer.error["param"], answer.error["code"]) == (
        "invalid_request_error",
        "model",
        "model_not_found",
    )


def test_without_the_provider_what_is_configured_is_known_and_no_more(app: App, parts: dict[str, str]) -> None:
    parts["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    assert names(app) == ["gpt-4.1-mini", "text-embedding-3-small"]
    assert app.call("GET", "/v1/models/gpt-4.1-mini").status == 200
    answer = app.call("GET", "/v1/models/no-such-model")
    assert (answer.status, answer.error["code"]) == (502, "upstream_error")


@pytest.mark.parametrize("empty", ["", " "])
def test_without_a_model_for_embeddings_none_is_named(app: App, parts: dict[str, str], empty: str) -> None:
    parts |= {"EMBEDDING_MODEL": empty, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    assert names(app) == ["gpt-4.1-mini"]


def test_the_models_are_told_to_users_alone(app: App) -> None:
    for path in ("/v1/models", "/v1/models/gpt-4.1-mini"):
        assert app.call("GET", path, user=" ").status == 401
