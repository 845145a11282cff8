"""What a model is shown of earlier conversation, fenced off: a quotation, never an instruction.

The tags are fixed, so that a prompt's beginning stays the same and a provider's cache finds it; what is quoted cannot
close them.
"""

from __future__ import annotations

import re
from typing import Final

NOTES: Final = "memory_notes"
RECALLED: Final = "recalled_turns"
TRANSCRIPT: Final = "transcript"
SUMMARY: Final = "notes_so_far"
FACTS: Final = "known_facts"

_TAG = re.compile(rf"<(?=[\s/]*(?:{NOTES}|{RECALLED}|{SUMMARY}|{FACTS}|{TRANSCRIPT})\b)", re.IGNORECASE)


def fenced(tag: str, text: str, *, heading: str = "") -> str:
    """Put a text between tags, below a heading that says what it is."""
    return "\n".join([f"<{tag}>", *([heading] if heading else []), escaped(text), f"</{tag}>"])


def escaped(text: str) -> str:
    """Write a text so that none of the tags opens or closes in it; everything else stays as it is."""
    return _TAG.sub("&lt;", text)
