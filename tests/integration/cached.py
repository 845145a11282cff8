"""Questions to the response cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.app import Answer, App

MODEL = "gpt-4.1-mini"
QUESTION = "What is the capital of Japan?"
ROUTES = {"responses": "Response", "chat/completions": "CreateChatCompletionResponse"}
both = pytest.mark.parametrize("endpoint", sorted(ROUTES))


def body(endpoint: str, text: str = QUESTION, **more: Any) -> dict[str, Any]:
    said = {"input": text} if endpoint == "responses" else {"messages": [{"role": "user", "content": text}]}
    return {"model": MODEL, **said, **more}


def ask(
    app: App, endpoint: str, text: str = QUESTION, *, headers: Mapping[str, str] | None = None, **more: Any
) -> Answer:
    own = {name: more.pop(name) for name in ("user", "seconds") if name in more}
    answer = app.call("POST", f"/v1/{endpoint}", body(endpoint, text, **more), headers=headers, **own)
    if answer.status == 200:
        assert_valid(answer.body, ROUTES[endpoint])
        assert answer.body["omoide"]["cache"]["status"] == answer.headers["x-cache"].lower()
        assert answer.headers["cache-control"] == "private, no-store"
    return answer


def control(text: str) -> dict[str, str]:
    return {"Cache-Control": text}


def calls(app: App) -> int:
    return sum(app.model.calls.values()) - app.calls_before_all
