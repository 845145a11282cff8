"""Where a text may be cut so that no character is torn that a reader sees as one."""

from __future__ import annotations

import unicodedata

_MARKS = frozenset({"Mn", "Me", "Mc"})
_FORMAT = "Cf"  # the zero-width joiner, signs that stand before a number, tags of flags
_TAGS = "\U000e0000"
_VIRAMA = 9  # the canonical combining class of the signs that tie two consonants
# Of no such category, yet they extend what stands before: Thai and Lao AM, half-width voiced sound marks.
_EXTENDING = frozenset("\u0e33\u0eb3\uff9e\uff9f")


def is_border(text: str, at: int, start: int = 0) -> bool:
    """Tell whether a text may be cut before a place inside it.

    After the extended grapheme clusters of UAX #29, from what ``unicodedata`` knows; where the two differ, this
    keeps more together, but for some signs of historic scripts.

    Parameters
    ----------
    text
        Any text.
    at
        A place in it, from 1 to its length - 1.
    start
        A border before the place: nothing before it is looked at.

    Examples
    --------
    >>> is_border("か\u3099", 1), is_border("かき", 1)
    (False, True)
    """
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return (before, after) != ("\r", "\n")
    kind = unicodedata.category(after)
    if kind in _MARKS or kind == _FORMAT or after in _EXTENDING or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if (unicodedata.category(before) == _FORMAT and before < _TAGS) or unicodedata.combining(before) == _VIRAMA:
        return False
    if _is_regional(before) and _is_regional(after):
        return _regionals_before(text, at, start) % 2 == 0
    return not _in_one_syllable(before, after)


def _is_regional(character: str) -> bool:
    """Tell whether it is half of a flag."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _regionals_before(text: str, at: int, start: int) -> int:
    first = at
    while first > start and _is_regional(text[first - 1]):
        first -= 1
    return at - first


def _in_one_syllable(before: str, after: str) -> bool:
    """Tell whether two characters are parts of one syllable of Hangul."""
    if not "\u1100" <= after <= "\ud7fb":
        return False
    leads = _is_lead(before)
    if _is_lead(after) or _is_syllable(after):
        return leads
    follows = "\u1160" <= after <= "\u11ff" or after >= "\ud7b0"
    return follows and (
        leads or _is_syllable(before) or "\u1160" <= before <= "\u11ff" or "\ud7b0" <= before <= "\ud7fb"
    )


def _is_lead(character: str) -> bool:
    return "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c"


def _is_syllable(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"
