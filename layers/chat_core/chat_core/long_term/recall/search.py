"""Scoring every indexed turn against a query: by its words, by its direction, and by what stands around it.

The words count as in BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), with a turn's words
taken as there or not, and as a share of the most that a turn could have: a number from 0 to 1 that means the same in a
conversation of 20 turns and of 20,000, so that a floor can be set. The idf has an exponent of 1.5, which makes rare
words rarer. A turn has a share of the scores of the turns before and after it: people ask in one turn and answer in the
next.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from chat_core.long_term.recall.models import WORDS, Scale
from chat_core.long_term.recall.ranking import Candidate
from chat_core.long_term.recall.signs import cosines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from chat_core.long_term.recall.blocks import Block

K1 = 0.9
B = 0.4
IDF_EXPONENT = 1.5
BACKGROUND = 100
"""Turns that nobody said and no word is in: without them, in a short conversation, a word that was said once would
be worth much less than one that never was."""

OWN = 0.8
BESIDE = 0.24
"""Share of a turn's own score, and of each of its two neighbours', in what counts."""

COMMON = 0.5
COMMON_FROM = 64
"""A word in more than this share of the turns, and in more turns than this, tells none of them from the others."""

MOST_EXPIRED = 8


class QueryVector(NamedTuple):
    """The query's direction.

    Parameters
    ----------
    model, dimensions
        Blocks of others are compared by words alone.
    signs
        See `chat_core.long_term.recall.signs.signs`.
    fresh_from
        Blocks embedded before this time, in seconds since the epoch, are compared by words alone.
    """

    model: str
    dimensions: int
    signs: int
    fresh_from: float = 0.0


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, and where.

    Parameters
    ----------
    terms
        Weights by term, see `chat_core.long_term.recall.query.weighted`.
    vector
        None: words alone.
    scale
        How both add up.
    before
        Turns that end at this seq or behind it are shown already; None: none is.
    since
        Turns said before this time, in seconds since the epoch, have expired.
    neighbours
        How many turns before and after a candidate may be wanted, too.
    """

    terms: Mapping[int, float]
    vector: QueryVector | None = None
    scale: Scale = WORDS
    before: int | None = None
    since: float = 0.0
    neighbours: int = 0


class Found(NamedTuple):
    """What a search found.

    Parameters
    ----------
    candidates
        In no order: the best ones, what stands beside them, and what would be among them had it not expired.
    turns
        How many turns were searched.
    compared
        Whether the vectors of any were compared.
    """

    candidates: tuple[Candidate, ...] = ()
    turns: int = 0
    compared: bool = False


def search(blocks: Sequence[Block], query: Query, *, conversation: str, limit: int) -> Found:
    """Score the turns of one conversation; those of no score at all are no candidates.

    Parameters
    ----------
    blocks
        All of the conversation's, in the order of their seq.
    limit
        Most candidates, those beside them apart.
    """
    if not blocks:
        return Found()
    lexical = _words(blocks, query.terms)
    cosines_ = _directions(blocks, query.vector)
    share = query.scale.rank
    scores = _with_neighbours(
        [lex if near is None else share * near + (1 - share) * lex for near, lex in zip(cosines_, lexical, strict=True)]
    )
    turns = _Turns(blocks, query, conversation, lexical, cosines_)
    end = turns.end
    hopeful = [(score, place) for place, score in enumerate(scores[:end]) if score > 0]
    expired: list[tuple[float, int]] = []
    if query.since:
        expired = [one for one in hopeful if turns.expired(one[1])]
        hopeful = [one for one in hopeful if not turns.expired(one[1])]
    best = [place for _, place in nlargest(limit, hopeful)]
    places = dict.fromkeys([*best, *(place for _, place in nlargest(MOST_EXPIRED, expired))])
    for place in best[:limit] if query.neighbours else ():
        around = range(max(0, place - query.neighbours), min(end, place + query.neighbours + 1))
        places |= dict.fromkeys(around)
    compared = any(near is not None for near in cosines_)
    return Found(tuple(turns.candidate(place) for place in places), len(scores), compared)


class _Turns:
    """The turns of a conversation by their place, over all of its blocks."""

    def __init__(
        self,
        blocks: Sequence[Block],
        query: Query,
        conversation: str,
        lexical: Sequence[float],
        near: Sequence[float | None],
    ) -> None:
        self._blocks = blocks
        self._starts = list(accumulate((len(block) for block in blocks), initial=0))
        self._query = query
        self._conversation = conversation
        self._lexical = lexical
        self._near = near
        self.end = len(lexical)
        while query.before is not None and self.end and self._of(self.end - 1, "seqs") >= query.before:
            self.end -= 1
        self._created_at = [time for block in blocks for time in block.created_at] if query.since else []
        self._shown = {self._of(place, "digests") for place in range(self.end, len(lexical))}

    def expired(self, place: int) -> bool:
        return bool(self._created_at) and self._created_at[place] < self._query.since

    def candidate(self, place: int) -> Candidate:
        near = self._near[place]
        digest = self._of(place, "digests")
        return Candidate(
            self._conversation,
            seq=self._of(place, "seqs"),
            items=self._of(place, "items"),
            place=place,
            lex=min(1.0, _around(self._lexical, place)),
            cos=None if near is None else max(-1.0, min(1.0, _around(self._near, place))),
            tokens=self._of(place, "tokens"),
            digest=digest,
            created_at=self._of(place, "created_at"),
            expired=self.expired(place),
            shown=digest in self._shown,
        )

    def _of(self, place: int, column: str) -> int:
        number = bisect_right(self._starts, place) - 1
        value: int = getattr(self._blocks[number], column)[place - self._starts[number]]
        return value


def _words(blocks: Sequence[Block], terms: Mapping[int, float]) -> list[float]:
    """Score all turns by their words; the words of the query that nobody said count among what is missing."""
    turns = sum(len(block) for block in blocks)
    scores = [0.0] * turns
    if not turns:
        return scores
    whole = 0.0
    for term, weight in terms.items():
        found = [(start, bits) for start, block in _placed(blocks) if (bits := block.where(term))]
        occurs = sum(bits.bit_count() for _, bits in found)
        value = weight * math.log(1 + (turns + BACKGROUND - occurs + 0.5) / (occurs + 0.5)) ** IDF_EXPONENT
        whole += value
        if occurs > max(COMMON * turns, COMMON_FROM):
            continue
        for start, bits in found:
            left = bits
            while left:
                lowest = left & -left
                scores[start + lowest.bit_length() - 1] += value
                left ^= lowest
    if not whole:
        return scores
    lengths = [length for block in blocks for length in block.lengths]
    mean = sum(lengths) / turns or 1.0
    flat, slope = whole * (1 + K1 * (1 - B)), whole * K1 * B / mean
    return [score / (flat + slope * length) if score else 0.0 for score, length in zip(scores, lengths, strict=True)]


def _placed(blocks: Sequence[Block]) -> Iterator[tuple[int, Block]]:
    start = 0
    for block in blocks:
        yield start, block
        start += len(block)


def _directions(blocks: Sequence[Block], vector: QueryVector | None) -> list[float | None]:
    """Estimate all turns' cosines with the query; None where a block's vectors are others', too old, or not there."""
    found: list[float | None] = []
    for block in blocks:
        if vector is not None and _comparable(block, vector):
            table = cosines(vector.dimensions)
            found += [table[(signs ^ vector.signs).bit_count()] for signs in block.signs]
        else:
            found += [None] * len(block)
    return found


def _comparable(block: Block, vector: QueryVector) -> bool:
    made = block.vectors
    return (
        made is not None
        and (made.model, made.dimensions) == (vector.model, vector.dimensions)
        and made.embedded_at >= vector.fresh_from
    )


def _with_neighbours(scores: Sequence[float]) -> list[float]:
    return [
        OWN * score + BESIDE * (before + after)
        for before, score, after in zip([0.0, *scores[:-1]], scores, [*scores[1:], 0.0], strict=True)
    ]


def _around(scores: Sequence[float | None], place: int) -> float:
    before = scores[place - 1] if place else None
    after = scores[place + 1] if place + 1 < len(scores) else None
    return OWN * (scores[place] or 0.0) + BESIDE * ((before or 0.0) + (after or 0.0))
