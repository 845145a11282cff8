"""The generator knows every route: one that is new in template.yaml fails here until it has what goes wrong in it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from local.routing import Router
from tests.fuzz.generator import PARAMETERS, Generator
from tests.fuzz.valid import BODIES
from tests.integration.app import application

if TYPE_CHECKING:
    from local.application import Route

ROUTES = application().routes
WITH_BODY = ("POST", "PUT", "PATCH")


def name(route: Route) -> tuple[str, str]:
    return route.method, route.resource


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: " ".join(name(route)))
def test_every_route_has_what_it_takes(route: Route) -> None:
    assert set(re.findall(r"{([^}]+)}", route.resource)) <= PARAMETERS.keys()
    if route.method in WITH_BODY:
        assert BODIES.get(name(route)), "a request that is valid, in tests/fuzz/valid.py"


def test_there_is_no_body_for_what_is_no_route() -> None:
    assert BODIES.keys() <= set(map(name, ROUTES))


def test_three_hundred_inputs_reach_every_route() -> None:
    router = Router(ROUTES)
    matches = (router.match(one.method, one.path) for one in Generator(ROUTES, 1).requests(300))
    reached = Counter(name(match.route) for match in matches if match is not None)
    assert not set(map(name, ROUTES)) - reached.keys()
