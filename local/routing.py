"""Finds the route of a request, as API Gateway does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.application import Route


@dataclass(frozen=True, slots=True)
class Match:
    """A route that takes a request, and the values of the path's parameters, percent-encoded as they came."""

    route: Route
    path_parameters: Mapping[str, str]


class Router:
    """The routes of a REST API. A fixed segment goes before a parameter, a method's own route before ``ANY``."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(
            ((_segments(route.resource), route) for route in routes),
            key=lambda pair: ([_is_parameter(segment) for segment in pair[0]], pair[1].method == "ANY"),
        )

    def match(self, method: str, path: str) -> Match | None:
        """Find the route of a method and a percent-encoded path; None where no route takes both.

        One slash at the path's end does not count: API Gateway hands it on in ``path`` but routes without it.
        """
        wanted = _segments(path.removesuffix("/") or "/")
        for segments, route in self._routes:
            if route.method in (method, "ANY") and len(segments) == len(wanted):
                pairs = list(zip(segments, wanted, strict=True))
                if all(found and (_is_parameter(own) or own == found) for own, found in pairs):
                    return Match(route, {own[1:-1]: found for own, found in pairs if _is_parameter(own)})
        return None


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")
