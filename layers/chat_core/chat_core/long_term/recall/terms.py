"""The words of a text as 24-bit numbers: what an index keeps of it instead of the text.

Scripts that write spaces are cut at them, and English endings are taken off; scripts that do not (and Hangul, whose
particles cling to the words) are cut into bigrams, as search engines do, and single ideographs. Bigrams of hiragana
alone are grammar far more often than words, so they are left out.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDEOGRAPHS = "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNSPACED = f"\u3040-\u30ff\uac00-\ud7a3\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff{_IDEOGRAPHS}"
# Letters, digits and, since they are no letters to `re`, the vowel signs of India's scripts.
_LETTERS = r"[^\W_" + _UNSPACED + r"]|[\u0900-\u0963\u0966-\u0dff\u0300-\u036f]"
_RUNS = f"(?P<unspaced>[{_UNSPACED}]+)|(?P<word>(?:{_LETTERS})+(?:['’](?:{_LETTERS})+)*)"
_HIRAGANA = re.compile("[\u3040-\u309f\u30fc]*")
_DOUBLED = frozenset("bdgmnprt")
_BITS = 0xFFFFFF

MOST_TERMS = 4_096
"""Of one text: who pasted a book is found by its beginning."""


def terms(text: str) -> frozenset[int]:
    """Tell which words are in a text.

    Returns
    -------
    frozenset
        Hashes (CRC-32's low 24 bits) of its first 4,096 words, NFKC, casefolded and without English endings; which
        they are, not how often: in a turn's length a word that comes twice says little more.
    """
    found: set[int] = set()
    for word in words(text):
        found.add(crc32(word.encode("utf-8", "surrogatepass")) & _BITS)
        if len(found) == MOST_TERMS:
            break
    return frozenset(found)


def words(text: str) -> Iterator[str]:
    """Cut a text into what `terms` hashes, in order."""
    for run in _runs().finditer(folded(text)):
        if run.lastgroup == "word":
            yield _stem(run.group())
        else:
            yield from _grams(run.group())


@cache
def _ideograph() -> re.Pattern[str]:
    return re.compile(f"[{_IDEOGRAPHS}]")


@cache
def _runs() -> re.Pattern[str]:
    """Compile it on first use: that takes as long as the import of a dozen modules."""
    return re.compile(_RUNS)


def folded(text: str) -> str:
    """Write a text without differences of width and case."""
    return unicodedata.normalize("NFKC", text).casefold()


def digest(text: str) -> int:
    """Tell texts apart that differ in more than case, width, spaces and punctuation: CRC-32 of what is left."""
    left = " ".join(run.group() for run in _runs().finditer(folded(text)))
    return crc32(left.encode("utf-8", "surrogatepass"))


def _grams(run: str) -> Iterator[str]:
    yield from _ideograph().findall(run)
    for start in range(len(run) - 1):
        pair = run[start : start + 2]
        if not _HIRAGANA.fullmatch(pair):
            yield pair


def _stem(word: str) -> str:
    """Take off an English word's endings, roughly: what matters is that forms of a word come out the same."""
    word = word.removesuffix("'s").removesuffix("’s")
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "i"
    for ending, least in (("ing", 6), ("ed", 5), ("es", 5), ("ly", 5), ("s", 4)):
        if len(word) >= least and word.endswith(ending) and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] in _DOUBLED:
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 2 and word.endswith("y") else word
