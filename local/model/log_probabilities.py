"""Log-probabilities of a reply's text, in pieces that stand for tokens."""

from __future__ import annotations

import re
from typing import Any

# Up to four ASCII characters are a piece, and so is every other character: no piece splits a character.
_PIECE = re.compile(r"[\x00-\x7f]{1,4}|[^\x00-\x7f]")


def pieces(text: str) -> list[str]:
    """Cut a text into pieces; joined they are the text."""
    return _PIECE.findall(text)


def log_probabilities(text: str, alternatives: int) -> list[dict[str, Any]]:
    """Return OpenAI's entry for each token, all equally probable; its own is the only alternative it has."""
    own = [{"token": token, "logprob": -0.25, "bytes": list(token.encode())} for token in pieces(text)]
    return [{**token, "top_logprobs": [token] if alternatives else []} for token in own]
