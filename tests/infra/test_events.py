from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.infra import stack

ALL = {path.stem: stack.load_event(path.stem) for path in stack.EVENTS}


def test_every_route_has_an_event_and_every_event_a_route() -> None:
    routes = set(stack.routes())
    found = set()
    for event in ALL.values():
        own = (event["httpMethod"], event["resource"])
        found.add(own if own in routes else ("ANY", event["resource"]))
    assert found == routes


@pytest.mark.parametrize("name", sorted(ALL))
def test_event_says_the_same_in_every_place(name: str) -> None:
    event = ALL[name]
    context = event["requestContext"]
    parameters = event["pathParameters"] or {}
    assert event["path"] == re.sub(r"\{(\w+)\+?\}", lambda found: parameters[found[1]], event["resource"])
    assert context["path"] == f"/{context['stage']}{event['path']}"
    assert (context["resourcePath"], context["httpMethod"]) == (event["resource"], event["httpMethod"])
    assert _last_values(event["multiValueHeaders"]) == event["headers"]
    assert _last_values(event["multiValueQueryStringParameters"]) == event["queryStringParameters"]
    if name in ("undefined_route", "health"):
        assert "authorizer" not in context
    else:
        assert context["authorizer"]["kind"] == "user"
        assert context["authorizer"]["tenant"]
    assert (event["body"] is not None) == ("Content-Type" in event["headers"])


def test_only_the_broken_body_is_broken() -> None:
    broken = set()
    for name, event in ALL.items():
        try:
            json.loads(event["body"] or "{}")
        except ValueError:
            broken.add(name)
    assert broken == {"chat_turn_broken_json"}


def test_request_ids_differ() -> None:
    ids = [event["requestContext"]["requestId"] for event in ALL.values()]
    assert len(set(ids)) == len(ids)


def _last_values(values: dict[str, list[str]] | None) -> dict[str, Any] | None:
    return values and {name: each[-1] for name, each in values.items()}
