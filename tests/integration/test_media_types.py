"""Bodies that are no JSON and say so, and JSON that is called something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.app import App


@pytest.mark.parametrize("declared", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_a_form_is_refused_as_what_it_says_that_it_is(app: App, declared: str) -> None:
    headers = {"content-type": declared}
    for path in ("/v1/responses", "/v1/chat/completions", "/v1/conversations"):
        answer = app.call("POST", path, b"model=m&input=hello", user="bad-input", headers=headers)
        assert (answer.status, answer.error["code"]) == (415, "unsupported_media_type")
        assert "application/json" in answer.error["message"]
    assert app.model_calls == 0
    # curl calls JSON so, where nobody tells it otherwise.
    taken = app.call("POST", "/v1/responses", b'{"model": "m", "input": "hello"}', headers=headers)
    assert taken.status == 200
    named = app.call("POST", "/v1/responses", b'{"a":' * 20_000, headers=headers)
    assert (named.status, named.error["param"]) == (400, "a")
