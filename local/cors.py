"""The gateway's own answers to web pages of other origins, as API Gateway gives them for one origin or for all.

The template has room for one origin; here a person may name several. So the template is read with a mark in the
origin's place, and each answer gets that of the page that asks, if `local.guard` lets it in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from local.events import USER_HEADER, header
from local.messages import HttpResponse, StreamedResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.messages import HttpRequest

Answer = TypeVar("Answer", HttpResponse, HttpResponse | StreamedResponse)

ORIGIN = "the-origin-of-the-page"
"""The mark; no origin looks like it."""

_HEADERS = "Access-Control-"


def preflight_answer(headers: Mapping[str, str]) -> HttpResponse:
    """Answer what a browser asks before it calls another origin, as SAM's mock integration does."""
    allowed = {
        name: f"{value},{USER_HEADER}" if name.endswith("Allow-Headers") else value for name, value in headers.items()
    }
    return HttpResponse(200, (("Content-Type", "application/json"), *allowed.items()), b"{}\n")


def for_page(answer: Answer, request: HttpRequest, origins: frozenset[str]) -> Answer:
    """Put the origin of the page that asks in the mark's place; take the headers away where there is none to put.

    Parameters
    ----------
    origins
        That may ask; ``*`` among them: all.
    """
    if not any(value == ORIGIN for _, value in answer.headers):
        return answer
    origin = header(request, "origin") or ""
    if "*" in origins:
        origin = "*"
    elif origin.lower() not in origins:
        return without_page(answer)
    own = tuple((name, origin if value == ORIGIN else value) for name, value in answer.headers)
    return replace(answer, headers=own)


def without_page(answer: Answer) -> Answer:
    """Take the headers for pages of other origins away."""
    return replace(answer, headers=tuple(pair for pair in answer.headers if not pair[0].startswith(_HEADERS)))
