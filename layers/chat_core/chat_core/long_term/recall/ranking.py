"""What of the candidates is shown: nothing without a good one, no weak ones beside it, nothing twice, within a budget.

Search always finds something; most questions need nothing. So the best candidate has to reach a floor, and the others
half of the best. A score that a caller sets to 0 is a floor of 0, not the absence of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from chat_core.long_term.recall.models import WORDS, Scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Reason = Literal["below_floor", "duplicate", "token_cap", "expired", "limit"]
"""Why a candidate is not shown.

``below_floor``: the best candidate does not reach the floor, or this one does not reach its share of the best.
``duplicate``: a newer turn, or one that the window shows, says the same. ``token_cap``: it does not fit what is left of
the budget. ``expired``: it is older than ``expires_after``. ``limit``: there are ``k`` better ones.
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A turn that may be shown.

    Parameters
    ----------
    conversation
        Its id.
    seq, items, created_at, tokens, digest
        See `chat_core.long_term.recall.blocks.Entry`.
    place
        Its number among the conversation's turns: those beside it have the next ones.
    lex
        How much of the query's words it has, from 0 to 1.
    cos
        Cosine with the query, None where there is none to compare.
    expired
        Whether it is older than the caller wants to be reminded of.
    shown
        Whether a turn with this content stands in the window.
    """

    conversation: str
    seq: int
    items: int
    place: int
    lex: float
    cos: float | None = None
    tokens: int = 0
    digest: int = 0
    created_at: int = 0
    expired: bool = False
    shown: bool = False

    @property
    def first_seq(self) -> int:
        """Of its first item."""
        return self.seq - self.items + 1


class Limits(NamedTuple):
    """What a caller asks for: the fields of ``memory.recall``.

    Parameters
    ----------
    k
        Most hits.
    min_score
        What the best candidate must reach; None: the model's own floor.
    relative
        Share of the best one's score that the others must reach.
    max_tokens
        Budget of hits and neighbours together.
    neighbours
        How many turns before and after a hit may fill what is left of the budget.
    """

    k: int = 4
    min_score: float | None = None
    relative: float = 0.5
    max_tokens: int = 512
    neighbours: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate, its score, and why it is not shown; None: it is."""

    candidate: Candidate
    score: float
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """What is shown, and what is not.

    Parameters
    ----------
    shown
        By conversation and seq: in the order in which they were said.
    left_out
        The best first.
    """

    shown: tuple[Judged, ...] = ()
    left_out: tuple[Judged, ...] = ()


@dataclass
class _Choice:
    """The state of choosing: what is taken, and what of the budget is left."""

    limits: Limits
    taken: list[Judged] = field(default_factory=list)
    left: dict[tuple[str, int], Judged] = field(default_factory=dict)
    tokens: int = 0

    def fits(self, candidate: Candidate) -> bool:
        return self.tokens + candidate.tokens <= self.limits.max_tokens

    def take(self, judged: Judged) -> None:
        self.taken.append(Judged(judged.candidate, judged.score))
        self.tokens += judged.candidate.tokens
        self.left.pop(_key(judged.candidate), None)

    def leave(self, judged: Judged, reason: Reason) -> None:
        self.left[_key(judged.candidate)] = Judged(judged.candidate, judged.score, reason)


def rank(candidates: Iterable[Candidate], limits: Limits, scale: Scale) -> Ranking:
    """Choose what is shown.

    Parameters
    ----------
    candidates
        In any order; whom they belong to is checked before. A turn that the window shows is none.
    scale
        Of the embedding model; candidates without a cosine are judged by `chat_core.long_term.recall.models.WORDS`.
    """
    judged = sorted((Judged(one, _score(one, scale)) for one in candidates), key=_best_first)
    choice = _Choice(limits)
    fresh = []
    for one in judged:
        if one.candidate.expired:
            choice.leave(one, "expired")
        else:
            fresh.append(one)
    hits = _above_floor(_distinct(fresh, choice), choice, scale)
    for hit in hits:
        if len(choice.taken) == limits.k:
            choice.leave(hit, "limit")
        elif choice.fits(hit.candidate):
            choice.take(hit)
        else:
            choice.leave(hit, "token_cap")
    _fill(fresh, choice)
    shown = sorted(choice.taken, key=lambda one: (one.candidate.created_at, *_key(one.candidate)))
    return Ranking(tuple(shown), tuple(sorted(choice.left.values(), key=_best_first)))


def _score(candidate: Candidate, scale: Scale) -> float:
    if candidate.cos is None:
        return candidate.lex
    return scale.rank * candidate.cos + (1 - scale.rank) * candidate.lex


def _passes(candidate: Candidate, scale: Scale, floor: float | None) -> bool:
    if candidate.cos is None:
        return candidate.lex >= (WORDS.floor if floor is None else floor)
    gate = scale.gate * candidate.cos + (1 - scale.gate) * candidate.lex
    return gate >= (scale.floor if floor is None else floor)


def _distinct(judged: Sequence[Judged], choice: _Choice) -> list[Judged]:
    """Let the newest of those that say the same stand for all, with the best score among them."""
    groups: dict[int, list[Judged]] = {}
    for one in judged:
        groups.setdefault(one.candidate.digest, []).append(one)
    distinct = []
    for group in groups.values():
        newest = max(group, key=lambda one: (one.candidate.created_at, one.candidate.seq))
        for one in group:
            if one is not newest or one.candidate.shown:
                choice.leave(one, "duplicate")
        if not newest.candidate.shown:
            distinct.append(Judged(newest.candidate, group[0].score))
    return distinct


def _above_floor(judged: Sequence[Judged], choice: _Choice, scale: Scale) -> list[Judged]:
    limits = choice.limits
    least = limits.relative * judged[0].score if judged else 0.0
    passed = any(_passes(one.candidate, scale, limits.min_score) for one in judged)
    above = []
    for one in judged:
        if passed and one.score >= least:
            above.append(one)
        else:
            choice.leave(one, "below_floor")
    return above


def _fill(fresh: Sequence[Judged], choice: _Choice) -> None:
    """Add what stands beside the hits, the best hit's first and the nearest first."""
    beside = {(one.candidate.conversation, one.candidate.place): one for one in fresh}
    said = {one.candidate.digest for one in choice.taken}
    for hit in tuple(choice.taken):
        for distance in range(1, choice.limits.neighbours + 1):
            for place in (hit.candidate.place - distance, hit.candidate.place + distance):
                one = beside.get((hit.candidate.conversation, place))
                if one and one.candidate.digest not in said and not one.candidate.shown and choice.fits(one.candidate):
                    said.add(one.candidate.digest)
                    choice.take(one)


def _best_first(judged: Judged) -> tuple[float, int, str, int]:
    candidate = judged.candidate
    return -judged.score, -candidate.created_at, candidate.conversation, -candidate.seq


def _key(candidate: Candidate) -> tuple[str, int]:
    return candidate.conversation, candidate.seq
