"""The character n-grams of a text: what the stand-in's vectors and its look into its notes compare."""

from __future__ import annotations

import re
import unicodedata

# Scripts that write no spaces, and words of those that do.
_RUNS = re.compile(r"(?P<unspaced>[぀-ヿ㐀-鿿豈-﫿가-힯฀-๿々]+)|(?P<word>[^\W_぀-ヿ㐀-鿿豈-﫿가-힯฀-๿]+)")
_HIRAGANA = re.compile(r"[぀-ゟ]+")
_COMMON = re.compile(
    "a|about|am|an|and|are|as|at|be|but|by|can|did|do|does|for|from|had|has|have|he|her|his|how|i|if|in|is|it|its|just"
    "|ll|m|me|my|not|of|on|or|our|re|s|she|so|t|tell|that|the|their|them|they|this|to|ve|was|we|were|what|when|where"
    "|which|who|why|will|with|would|you|your"
)
_MOST_CHARACTERS = 8_000


def features(text: str) -> frozenset[str]:
    """Return what a text is about: its words and their trigrams, pairs of characters where no spaces are written.

    Words that every English text has are left out, and pairs of hiragana, which are grammar.
    """
    found: set[str] = set()
    for run in _RUNS.finditer(unicodedata.normalize("NFKC", text[:_MOST_CHARACTERS]).casefold()):
        if run.lastgroup == "unspaced":
            found |= {pair for pair in _grams(run[0], 2) if not _HIRAGANA.fullmatch(pair)}
        elif not _COMMON.fullmatch(run[0]):
            found |= {run[0], *_grams(f"^{run[0]}$", 3)}
    return frozenset(found)


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return which share of the smaller of two sets the other has, too; 0 where one is empty."""
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0


def _grams(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(max(len(text) - size + 1, 1))]
