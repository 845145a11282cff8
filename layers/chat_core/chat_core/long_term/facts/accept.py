"""What of a model's extraction is taken: each fact is checked alone, so that a wrong one costs itself alone."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from chat_core.long_term.facts.records import fact_digest
from chat_core.long_term.facts.words import MAX_LENGTH, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.long_term.facts.records import Cardinality, Evidence, Kind, Moment, Op

Refusal = Literal["blank", "too_long", "no_evidence", "not_said_by_user", "not_grounded", "sensitive", "forgotten"]


@dataclass(frozen=True, slots=True)
class Said:
    """An item that a fold gave to the model.

    Parameters
    ----------
    evidence
        What names it.
    text
        What it says.
    """

    evidence: Evidence
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact as the model wrote it.

    Parameters
    ----------
    evidence
        What the model named as its evidence: keys of the items that it was given.
    replaces
        Id of the assertion that it names, or None.
    """

    op: Op
    subject: str
    predicate: str
    object: str
    kind: Kind
    cardinality: Cardinality
    valid_from: str | None
    replaces: str | None
    evidence: tuple[str, ...]


def accepted(
    candidate: Candidate, items: Mapping[str, Said], *, include_assistant: bool, forgotten: Mapping[str, Moment]
) -> tuple[Evidence, ...] | Refusal:
    """Give a fact's evidence, or say why the fact is refused.

    Parameters
    ----------
    items
        What the fold gave to the model, by the names that it was given under.
    include_assistant
        Whether what only the assistant said counts.
    forgotten
        By digest: what was said at or before this moment is not taken again.
    """
    if (reason := _ill_formed(candidate)) is not None:
        return reason
    if not candidate.evidence or any(name not in items for name in candidate.evidence):
        return "no_evidence"
    said = [items[name] for name in dict.fromkeys(candidate.evidence)]
    if not include_assistant and all(one.evidence.said_by != "user" for one in said):
        return "not_said_by_user"
    if not _numbers(candidate.object) <= set().union(*(_numbers(one.text) for one in said)):
        return "not_grounded"
    moment = forgotten.get(fact_digest(candidate.subject, candidate.predicate, candidate.object))
    return tuple(one.evidence for one in said if moment is None or one.evidence.moment > moment) or "forgotten"


def _ill_formed(candidate: Candidate) -> Refusal | None:
    words = [one_line(text) for text in (candidate.subject, candidate.predicate, candidate.object)]
    needed = words if candidate.op != "retract" else words[:2] if candidate.replaces is None else ()
    if not all(needed):
        return "blank"
    if any(len(text) > MAX_LENGTH for text in words):
        return "too_long"
    return "sensitive" if candidate.op != "retract" and any(map(is_sensitive, words)) else None


_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def _numbers(text: str) -> set[str]:
    """List the numbers of a text, digits of any script as ASCII, without thousands separators."""
    normal = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text))
    digits = "".join(str(unicodedata.digit(one, 0)) if one.isdecimal() else one for one in normal)
    return set(_NUMBER.findall(digits))


_SECRET = re.compile(r"(?i)\b(?:sk|pk|ghp|xox[abp])[-_][\w-]{8,}|\beyJ[\w-]{10,}\.|-----BEGIN|\bAKIA[0-9A-Z]{12,}")
_PASSWORD = re.compile(r"(?i)\b(?:password|passphrase|passcode|pin(?: code)?|api key)\b|パスワード|暗証番号|密码|密碼")
_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){13,19}(?!\d)")


def is_sensitive(text: str) -> bool:
    """Whether a text looks like a credential or a card number: no memory is made of those."""
    normal = unicodedata.normalize("NFKC", text)
    if _SECRET.search(normal) or _PASSWORD.search(normal):
        return True
    return any(_luhn(re.sub(r"\D", "", found[0])) for found in _CARD.finditer(normal))


def _luhn(digits: str) -> bool:
    """Check a card number's last digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
