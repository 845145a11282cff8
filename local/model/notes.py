"""Reads what a view holds beside the messages themselves: notes, facts and recalled turns, between tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.model import dialogue
from local.model.features import features, overlap

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOTES = re.compile(r"\s*<(memory_notes|recalled_turns)>\n")
_NAME_FACT = re.compile(r"^- user \| (?:名前|name) \| ([^|(\n]+?)(?: \(|$)", re.MULTILINE)
_OWN_FACT = re.compile(r"^user \| (.+?) \| (.+)$")
_QUOTED_USER = re.compile(r"^user: (.+)$", re.MULTILINE)
_MARKS = re.compile(r"^(?:- |user: |assistant: |  )")
_HEAD = re.compile(r"\[\d{4}-\d\d-\d\d[^\]]*\]|</?\w+>")
_ENOUGH = 0.3


def is_notes(text: str) -> bool:
    """Tell whether a message holds notes, not what somebody says."""
    return _NOTES.match(text) is not None


def name_in(text: str) -> str | None:
    """Return the user's name where notes tell it."""
    names = _NAME_FACT.findall(text) or [name for name in (dialogue.name_of_user(text),) if name]
    quoted = [name for said in _QUOTED_USER.findall(text) if (name := dialogue.stated_name(said))]
    return (names or quoted or [None])[-1]


def answer_in(texts: Iterable[str], question: str) -> str | None:
    """Return the line of the notes that has most in common with a question, if that is enough."""
    asked = features(question)
    lines = [_MARKS.sub("", line).strip() for text in texts for line in text.splitlines()[2:]]
    scored = [(overlap(asked, features(line)), line) for line in lines if line and not _HEAD.match(line)]
    best = max(scored, default=(0.0, ""), key=lambda pair: pair[0])
    return _OWN_FACT.sub(r"\1: \2", best[1]) if best[0] >= _ENOUGH else None
