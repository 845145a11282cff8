"""How the texts and dates of a fact are written, whoever says it."""

from __future__ import annotations

import unicodedata

MAX_LENGTH = 200
"""Characters of a subject, a predicate or an object."""


def one_line(text: str) -> str:
    """Write a text as one line: control and format characters and runs of space are one space."""
    kept = "".join(" " if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") else one for one in text)
    return " ".join(kept.split())


def valid_date(text: str | None) -> str | None:
    """Give an ISO 8601 date or its beginning (``2026``, ``2026-05``, ``2026-05-01``); None for anything else."""
    day = (text or "").strip()[:10]
    parts = day.split("-")
    widths = [4, 2, 2][: len(parts)]
    if len(parts) > 3 or [len(part) for part in parts] != widths or not all(part.isdecimal() for part in parts):
        return None
    whole = (*map(int, parts), 1, 1)
    return day if day.isascii() and 1 <= whole[1] <= 12 and 1 <= whole[2] <= 31 else None
