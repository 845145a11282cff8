"""Reads what the memory function gives a model: the transcript, the notes so far, the facts that are known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.model.conversation import Prompt

_ITEM = re.compile(r"\[(\d+)\] (user|assistant|tool|system|developer)\b(?: (\d{4}-\d\d-\d\d)\S*)?:? ?(.*)")
_TAGS = re.compile(r"</?\w+>")
_NOTES = re.compile(r"<notes_so_far>\n?(.*?)\n?</notes_so_far>", re.DOTALL)
_KNOWN = re.compile(r"^\W*(\d+)\W+(\S[^|\n]*?) *\| *([^|\n]+?) *\| *([^|\n]+?)(?: *\([^)\n]*\))? *$", re.MULTILINE)
_LIMIT = re.compile(r"at most (\d+) tokens")
_USUAL_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a transcript."""

    number: int
    role: str
    day: date | None
    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """A fact that the model is told of, under its number."""

    number: int
    subject: str
    predicate: str
    object: str


def items_of(prompt: Prompt) -> list[Item]:
    """Read the transcript in the last user message; a line that only looks like an item's head is text."""
    items: list[Item] = []
    for line in prompt.question.splitlines():
        head = _ITEM.fullmatch(line)
        if head is not None and int(head[1]) == len(items) + 1:
            items.append(Item(int(head[1]), head[2], date.fromisoformat(head[3]) if head[3] else None, head[4]))
        elif line.startswith("</") and _TAGS.fullmatch(line):
            break
        elif items:
            last = items[-1]
            items[-1] = Item(last.number, last.role, last.day, f"{last.text}\n{line}".strip())
    return items


def notes_of(prompt: Prompt) -> str:
    """Return the notes so far: between their tags, else the user message before the transcript."""
    texts = [message.text for message in prompt.messages if message.role == "user"]
    for text in texts:
        if found := _NOTES.search(text):
            return found[1].replace("&lt;", "<")
    return "\n".join(line for text in texts[:-1] for line in text.splitlines() if not _TAGS.fullmatch(line)).strip()


def known_of(prompt: Prompt) -> list[Known]:
    """Return the facts that are known: lines of a number, subject, predicate and object."""
    texts = [message.text for message in prompt.messages[:-1]]  # the last holds the transcript
    return [Known(int(n), s, p, o) for text in texts for n, s, p, o in _KNOWN.findall(text)]


def limit_of(prompt: Prompt) -> int:
    """Return the most tokens that the notes may have."""
    found = [int(number) for message in prompt.messages for number in _LIMIT.findall(message.text)]
    return found[-1] if found else _USUAL_LIMIT
