"""The header ``Cache-Status`` (RFC 9211): a structured field, one member with its parameters."""

from __future__ import annotations

import re

CACHE = "omoide"
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*")  # RFC 9651, 3.3.4

CLAMPED = "max-age-clamped"
"""Detail: the request's ``max-age`` was negative or absurd."""


def hit(ttl: float, *, collapsed: bool = False, details: tuple[str, ...] = ()) -> str:
    """Say that the reply came from the cache.

    Parameters
    ----------
    ttl
        Seconds for which it is still fresh.
    collapsed
        Whether it is the reply of another request that was under way.
    details
        Short words.
    """
    return _member("hit", f"ttl={int(ttl)}", *(["collapsed"] if collapsed else []), *_detail(details))


def forward(reason: str, *, stored: bool = False, details: tuple[str, ...] = ()) -> str:
    """Say that the request went to the model, and why.

    Parameters
    ----------
    reason
        One of RFC 9211, 2.2: ``bypass``, ``uri-miss``, ``stale``, ``request``, ``partial``.
    stored
        Whether the reply was stored.
    """
    return _member(f"fwd={reason}", *(["stored"] if stored else []), *_detail(details))


def _member(*parameters: str) -> str:
    return "; ".join((CACHE, *parameters))


def _detail(words: tuple[str, ...]) -> list[str]:
    text = ", ".join(filter(None, words))
    if not text:
        return []
    return [f"detail={text}" if _TOKEN.fullmatch(text) else f'detail="{text}"']
