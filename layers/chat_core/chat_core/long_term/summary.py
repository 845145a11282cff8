"""Whether a model's answer is taken as a summary."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from chat_core.long_term.answer import written
from chat_core.long_term.language import is_written_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Refusal = Literal["invalid_output", "blank", "refusal", "too_long", "wrong_language"]
"""Why an answer is not taken."""

_REFUSING = re.compile(
    r"(?:i['’]?m|i am)\s+(?:sorry|unable|not able)|sorry[,.]|i\s+(?:cannot|can['’]?t|can not|won['’]?t)\b"
    r"|as an ai\b|申し訳(?:ありません|ございません)|すみませんが|お手伝いできません|お答えできません"
    r"|抱歉|对不起|我无法|我不能|죄송합니다|lo siento|je suis désolé|es tut mir leid|desculpe|mi dispiace",
    re.IGNORECASE,
)
_REFUSING_CHARACTERS = 300
"""A longer text that opens so tells of somebody who did."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer has to be.

    Parameters
    ----------
    language
        See `language_of`.
    max_tokens
        Inclusive.
    source
        All that the model was given: names and quotations of it are in no wrong language.
    structured
        Whether the answer was asked for as JSON of the schema.
    """

    language: str
    max_tokens: int
    source: str
    structured: bool = True


def accepted(answer: Mapping[str, Any], wanted: Wanted, count: Callable[[str], int]) -> tuple[str, Refusal | None]:
    """Read an answer of ``/responses``.

    Parameters
    ----------
    count
        Counts a text's tokens.

    Returns
    -------
    tuple
        The summary, and why it is not taken; None when it is.
    """
    wrote = written(answer)
    if not wrote.complete:
        return "", "invalid_output"
    if wrote.refused:
        return "", "refusal"
    text = _summary_of(wrote.text, structured=wanted.structured)
    return ("", "invalid_output") if text is None else (text, judged(text, wanted, count))


def judged(text: str, wanted: Wanted, count: Callable[[str], int]) -> Refusal | None:
    """Tell why a summary is not taken; None when it is."""
    if not text.strip():
        return "blank"
    if len(text) <= _REFUSING_CHARACTERS and _REFUSING.match(text.strip()):
        return "refusal"
    if count(text) > wanted.max_tokens:
        return "too_long"
    if not is_written_in(text, wanted.language, source=wanted.source):
        return "wrong_language"
    return None


def _summary_of(text: str, *, structured: bool) -> str | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None if structured else text
    if isinstance(value, dict) and isinstance(summary := value.get("summary"), str):
        return summary.strip()
    return None if structured else text
