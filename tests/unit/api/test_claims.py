from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from chat_core.api import current_user
from chat_core.errors import InvalidRequest, NotAuthenticated


def user_of(authorizer: Any, headers: dict[str, str] | None = None) -> str:
    event = {"requestContext": {"authorizer": authorizer}, "headers": headers or {}}
    request = SimpleNamespace(resolved_event=SimpleNamespace(raw_event=event))
    return current_user(cast("Any", request))


def test_a_pools_claims_name_the_user() -> None:
    assert user_of({"claims": {"sub": "naomi"}}) == "naomi"


def test_a_key_of_a_person_names_that_person_whatever_the_header_says() -> None:
    assert user_of({"kind": "user", "tenant": "acme"}, {"X-Omoide-User": "eve"}) == "acme"


def test_a_pools_user_cannot_name_another() -> None:
    assert user_of({"claims": {"sub": "naomi"}}, {"X-Omoide-User": "eve"}) == "naomi"


def test_an_app_names_its_end_user() -> None:
    assert user_of({"kind": "app", "tenant": "acme"}, {"x-omoide-user": "eve/1"}) == "acme/eve/1"


@pytest.mark.parametrize("name", [None, "", " eve", "e\nve", "x" * 252])
def test_an_app_must_say_whom_it_serves(name: str | None) -> None:
    with pytest.raises(InvalidRequest) as error:
        user_of({"kind": "app", "tenant": "acme"}, {} if name is None else {"X-Omoide-User": name})
    assert error.value.param == "X-Omoide-User"


@pytest.mark.parametrize(
    "authorizer",
    [None, {}, "x", {"claims": None}, {"claims": {}}, {"tenant": ""}, {"tenant": 7}, {"claims": {"sub": " "}}],
)
def test_without_an_answer_of_the_authorizer_there_is_no_service(authorizer: Any) -> None:
    with pytest.raises(NotAuthenticated):
        user_of(authorizer)
