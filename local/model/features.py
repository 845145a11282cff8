"""What a text is about, as far as its characters tell: what the stand-in's vectors and its look into its notes compare.

Words and their trigrams where spaces are written; ideographs, words of katakana, and pairs of characters where not.
"""

from __future__ import annotations

import re
import unicodedata

_RUNS = re.compile(
    r"(?P<ideographs>[㐀-鿿豈-﫿々]+)|(?P<katakana>[ァ-ヺー]+)|(?P<hiragana>[ぁ-ゟ]+)|(?P<pairs>[가-힣฀-๿]+)"
    r"|(?P<word>[^\W_ぁ-ヿ㐀-鿿豈-﫿가-힣฀-๿]+)"
)
# Words that every text has.
_COMMON = re.compile(
    "a|about|am|an|and|are|as|at|be|but|by|can|did|do|does|for|from|had|has|have|he|her|his|how|i|if|in|is|it|its|just"
    "|ll|m|me|my|not|of|on|or|our|re|s|said|say|she|so|t|tell|that|the|their|them|they|this|to|ve|was|we|were|what|when"
    "|where|which|who|why|will|with|would|you|your"
)
_COMMON_IDEOGRAPHS = frozenset("何私僕俺言思事今誰")
# The stand-in's own words around what it repeats.
_STAND_IN = re.compile(
    r"\(Offline stand-in\) I have read \d+ message\(s\) so far\. The last one is:"
    r"|（オフラインの代役です）ここまで\d+件のメッセージを読みました。最後は"
)
_MOST_CHARACTERS = 8_000


def features(text: str) -> frozenset[str]:
    """Return the features of a text."""
    found: set[str] = set()
    said = _STAND_IN.sub(" ", text[:_MOST_CHARACTERS])
    for run in _RUNS.finditer(unicodedata.normalize("NFKC", said).casefold()):
        if run.lastgroup == "word":
            found |= set() if _COMMON.fullmatch(run[0]) else {run[0], *_grams(f"^{run[0]}$", 3)}
        elif run.lastgroup == "ideographs":
            found |= {*run[0], *_grams(run[0], 2)} - _COMMON_IDEOGRAPHS
        elif run.lastgroup != "hiragana":
            found |= {run[0], *_grams(run[0], 2)}
    return frozenset(found)


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return which share of the smaller of two sets the other has, too; 0 where one is empty."""
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0


def _grams(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(max(len(text) - size + 1, 1))]
