"""Finds the route of a request, as API Gateway does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.application import Route


_FIXED, _PARAMETER, _GREEDY = range(3)


@dataclass(frozen=True, slots=True)
class Match:
    """A route that takes a request, and the values of the path's parameters, percent-encoded as they came."""

    route: Route
    path_parameters: Mapping[str, str]


class Router:
    """The routes of a REST API.

    A fixed segment goes before a parameter, that before a greedy one, and a method's own route before ``ANY``.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(
            ((_segments(route.resource), route) for route in routes),
            key=lambda pair: (list(map(_rank, pair[0])), pair[1].method == "ANY"),
        )

    def match(self, method: str, path: str) -> Match | None:
        """Find the route of a method and a percent-encoded path; None where no route takes both.

        One slash at the path's end does not count: API Gateway hands it on in ``path`` but routes without it.
        """
        wanted = _segments(path.removesuffix("/") or "/")
        for segments, route in self._routes:
            if route.method not in (method, "ANY"):
                continue
            found = _folded(wanted, len(segments)) if _rank(segments[-1]) == _GREEDY else wanted
            if len(segments) == len(found):
                pairs = list(zip(segments, found, strict=True))
                if all(value and (_rank(own) or own == value) for own, value in pairs):
                    return Match(route, {own[1:-1].removesuffix("+"): value for own, value in pairs if _rank(own)})
        return None


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _folded(segments: list[str], count: int) -> list[str]:
    """Make one of the last segments, so that there are no more than ``count``."""
    return [*segments[: count - 1], "/".join(segments[count - 1 :])]


def _rank(segment: str) -> int:
    return (_GREEDY if segment.endswith("+}") else _PARAMETER) if segment.startswith("{") else _FIXED
