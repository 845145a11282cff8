"""A rough count of tokens, the same wherever the stand-in needs one: usage, limits, log-probabilities."""

from __future__ import annotations

import re
from typing import Any

# Up to four ASCII characters are one token, and so is every other character: close to the figures of
# o200k_base for English and for Japanese, and a token never splits a character.
_TOKEN = re.compile(r"[\x00-\x7f]{1,4}|[^\x00-\x7f]")


def tokens(text: str) -> list[str]:
    """Cut a text into the stand-in's tokens; joined they are the text."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """Return how many tokens a text has."""
    if text.isascii():
        return -(-len(text) // 4)
    return len(tokens(text))


def log_probabilities(text: str, alternatives: int) -> list[dict[str, Any]]:
    """Return OpenAI's entry for each token, all equally probable; its own is the only alternative it has."""
    own = [{"token": token, "logprob": -0.25, "bytes": list(token.encode())} for token in tokens(text)]
    return [{**token, "top_logprobs": [token] if alternatives else []} for token in own]
