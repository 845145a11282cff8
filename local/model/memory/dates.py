"""From when something holds, as a sentence says it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = "january|february|march|april|may|june|july|august|september|october|november|december"


def _next_month(day: date) -> str:
    first = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first.isoformat()[:7]


_RELATIVE: dict[str, Callable[[date], str]] = {
    r"来月|next month": _next_month,
    r"今月|this month": lambda day: day.isoformat()[:7],
    r"来年|next year": lambda day: str(day.year + 1),
    r"今年|this year": lambda day: str(day.year),
    r"去年|last year": lambda day: str(day.year - 1),
    r"今日|today": lambda day: day.isoformat(),
    r"明日|tomorrow": lambda day: (day + timedelta(days=1)).isoformat(),
    r"昨日|yesterday": lambda day: (day - timedelta(days=1)).isoformat(),
}
_NAMED_MONTH = re.compile(rf"\b(?:in|since|from) ({_MONTH_NAMES})\b(?: (\d{{4}}))?", re.IGNORECASE)
_JAPANESE_DATE = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(?:(\d{1,2})日)?(?:から|に)")
_YEAR = re.compile(r"\b(?:in|since|from) (\d{4})\b|(\d{4})年(?:から|に)")


def valid_from(sentence: str, said: date | None) -> str | None:
    """Return the date, or its beginning, that a sentence names; None where it names none.

    Parameters
    ----------
    said
        When it was said: what relative times count from.
    """
    if found := _YEAR.search(sentence):
        return found[1] or found[2]
    if said is None:
        return None
    if found := _NAMED_MONTH.search(sentence):
        return f"{found[2] or said.year}-{_MONTHS.index(found[1][:3].lower()) + 1:02d}"
    if found := _JAPANESE_DATE.search(sentence):
        month, day = int(found[2]), int(found[3] or 0)
        if 1 <= month <= 12 and day <= 31:
            return f"{found[1] or said.year}-{month:02d}" + (f"-{day:02d}" if day else "")
    return next((date_of(said) for words, date_of in _RELATIVE.items() if re.search(words, sentence, re.I)), None)
