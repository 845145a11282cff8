from __future__ import annotations

import pytest

from local.application import Route
from local.routing import Router

ROUTER = Router(
    Route(method, path, function)
    for method, path, function in [
        ("GET", "/v1/things/{thing}", "one"),
        ("GET", "/v1/things/{thing}/parts/{part}", "part"),
        ("GET", "/v1/things/new", "new"),
        ("POST", "/v1/things", "create"),
        ("ANY", "/v1/things", "any"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("GET", "/v1/things/7", "one", {"thing": "7"}),
        ("GET", "/v1/things/7/", "one", {"thing": "7"}),
        ("GET", "/v1/things/a%2Fb", "one", {"thing": "a%2Fb"}),
        ("GET", "/v1/things/new", "new", {}),
        ("GET", "/v1/things/7/parts/8", "part", {"thing": "7", "part": "8"}),
        ("POST", "/v1/things", "create", {}),
        ("PATCH", "/v1/things", "any", {}),
    ],
)
def test_the_most_particular_route_is_found(method: str, path: str, function: str, parameters: dict[str, str]) -> None:
    match = ROUTER.match(method, path)
    assert match is not None
    assert match.route.function == function
    assert match.path_parameters == parameters


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("GET", "/v1/things/7", "one", {"thing": "7"}),
        ("PUT", "/v1/things/7", "rest", {"proxy": "v1/things/7"}),
        ("GET", "/v2//things", "rest", {"proxy": "v2//things"}),
        ("GET", "/v1/files/a/b", "files", {"path": "a/b"}),
        ("GET", "/v1/files/new", "file", {"file": "new"}),
        ("GET", "/v1/files", "rest", {"proxy": "v1/files"}),
    ],
)
def test_a_greedy_route_takes_what_is_left(method: str, path: str, function: str, parameters: dict[str, str]) -> None:
    router = Router(
        Route(method, path, function)
        for method, path, function in [
            ("ANY", "/{proxy+}", "rest"),
            ("GET", "/v1/files/{path+}", "files"),
            ("GET", "/v1/files/{file}", "file"),
            ("GET", "/v1/things/{thing}", "one"),
        ]
    )
    match = router.match(method, path)
    assert match is not None
    assert match.route.function == function
    assert match.path_parameters == parameters
    assert router.match("GET", "/") is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/things/7"),
        ("GET", "/v1/things/7/parts"),
        ("GET", "/v1/things//parts/8"),
        ("GET", "/v1/Things/7"),
        ("GET", "/v2/things/7"),
        ("GET", "/v1/things/7//"),
        ("GET", "/"),
        ("GET", "*"),
    ],
)
def test_what_no_route_takes_is_not_found(method: str, path: str) -> None:
    assert ROUTER.match(method, path) is None
