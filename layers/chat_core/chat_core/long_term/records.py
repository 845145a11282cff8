"""What is stored of a conversation's summary, and how it changes: each change is a new record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKPOINTS = 8
BACKOFF = (1, 2, 4, 8, 16)
"""Seconds until another try after the first failures in a row."""

BACKOFF_LATER = 3_600
FACTS = "facts_"
"""What a code begins with that is of the facts."""

SKIPPED_AFTER = 3
"""Answers that are refused for one range until it is skipped."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary of the conversation's beginning.

    Parameters
    ----------
    text
        Empty where nothing before ``covers_up_to`` could be summarised.
    covers_up_to
        Seq of the last item that it covers.
    language
        See `language_of`.
    model, prompt_version
        What wrote it.
    tokens
        Of the text.
    created_at
        Seconds since the epoch.
    partial
        Last seqs of turns of which the model was given the beginning and the end alone.
    """

    text: str
    covers_up_to: int
    language: str = ""
    model: str = ""
    prompt_version: int = 0
    tokens: int = 0
    created_at: int = 0
    partial: tuple[int, ...] = ()


NO_SUMMARY = Summary("", 0)


@dataclass(frozen=True, slots=True)
class Memory:
    """What long-term memory holds of a conversation.

    Parameters
    ----------
    incarnation
        Of the conversation that it was made of.
    folds
        The head's when it was written.
    summaries
        By what they cover; the last one holds, the others are what an erasure falls back to.
    skipped
        Ranges of seqs, both ends inclusive, of which no summary could be made.
    forgotten_up_to
        Seq up to which the user had it forget; 0: nothing.
    indexed_up_to
        Seq up to which turns are in the index of recall.
    facts_up_to
        Seq up to which facts were looked for.
    erased
        Whether covered items were erased since the last fold.
    rebuilding
        Whether it is to be made again from the beginning, and nothing was folded yet.
    attempts, facts_attempts
        Failures in a row, of the summary and of the facts.
    refused, facts_refused
        Refused answers in a row, for the range that is due.
    after, facts_after
        Neither is tried again before, in seconds since the epoch; 0: at once.
    last_error
        A code for the last failure of what failed last; empty once that was made.
    """

    incarnation: str
    folds: int = 0
    summaries: tuple[Summary, ...] = ()
    skipped: tuple[tuple[int, int], ...] = ()
    forgotten_up_to: int = 0
    indexed_up_to: int = 0
    facts_up_to: int = 0
    facts_attempts: int = 0
    facts_refused: int = 0
    facts_after: float = 0.0
    erased: bool = False
    rebuilding: bool = False
    attempts: int = 0
    refused: int = 0
    after: float = 0.0
    last_error: str = ""

    @property
    def summary(self) -> Summary:
        """The one that holds."""
        return self.summaries[-1] if self.summaries else NO_SUMMARY

    @property
    def covers_up_to(self) -> int:
        """Seq up to which folds have read."""
        return max(self.summary.covers_up_to, self.forgotten_up_to)

    def folded(self, summary: Summary) -> Memory:
        """Take in a new summary, which covers more than the last."""
        return replace(
            self,
            folds=self.folds + 1,
            summaries=spaced((*self.summaries, summary)),
            erased=False,
            rebuilding=False,
            attempts=0,
            refused=0,
            after=0.0,
            last_error=self.last_error if self.last_error.startswith(FACTS) else "",
        )

    def settled(self) -> Memory:
        """Tell that nothing is due, whatever was erased or asked for."""
        return replace(self, erased=False, rebuilding=False)

    def skipping(self, first: int, last: int) -> Memory:
        """Leave a range out that no summary could be made of."""
        skipped = (*self.skipped, (first, last))
        passed = replace(self.summary, covers_up_to=last)
        return replace(self.folded(passed), skipped=skipped, last_error=self.last_error)

    def failed(self, code: str, *, refused: bool, now: float = 0.0) -> Memory:
        """Write down that no summary was made, and put off the next try.

        Parameters
        ----------
        refused
            Whether it was for the model's answer, not for the way to it.
        """
        attempts = self.attempts + 1
        after = now + backoff(attempts)
        return replace(self, attempts=attempts, refused=self.refused + refused, after=after, last_error=code)

    def without(self, seq: int) -> Memory:
        """Fall back to the newest summary that does not cover an erased item, nor any behind it."""
        if seq > self.covers_up_to:
            return self
        left = tuple(one for one in self.summaries if one.covers_up_to < seq)
        skipped = tuple(one for one in self.skipped if one[1] < seq)
        return replace(
            self, summaries=left, skipped=skipped, erased=True, attempts=0, refused=0, after=0.0, last_error=""
        )

    def up_to(self, seq: int) -> Memory:
        """Tell it as of an earlier end of the history."""
        left = replace(
            self.without(seq + 1),
            forgotten_up_to=min(self.forgotten_up_to, seq),
            indexed_up_to=min(self.indexed_up_to, seq),
            facts_up_to=min(self.facts_up_to, seq),
        )
        return replace(left, erased=self.erased, attempts=self.attempts, refused=self.refused)

    def inherited(self, incarnation: str, seq: int) -> Memory:
        """Tell it as a branch takes it along that leaves the history behind a seq: failures are not the branch's."""
        then = self.up_to(seq)
        return Memory(
            incarnation,
            1,
            then.summaries,
            then.skipped,
            forgotten_up_to=then.forgotten_up_to,
            indexed_up_to=then.indexed_up_to,
            facts_up_to=then.facts_up_to,
        )

    def indexed(self, seq: int) -> Memory:
        """Have the index reach further."""
        return replace(self, folds=self.folds + 1, indexed_up_to=seq)

    def extracted(self, seq: int) -> Memory:
        """Have the facts reach further."""
        return replace(
            self,
            folds=self.folds + 1,
            facts_up_to=seq,
            facts_attempts=0,
            facts_refused=0,
            facts_after=0.0,
            last_error="" if self.last_error.startswith(FACTS) else self.last_error,
        )

    def not_extracted(self, code: str, *, refused: bool, now: float = 0.0) -> Memory:
        """Write down that facts could not be found; see `failed`."""
        attempts = self.facts_attempts + 1
        return replace(
            self,
            facts_attempts=attempts,
            facts_refused=self.facts_refused + refused,
            facts_after=now + backoff(attempts),
            last_error=self.last_error if self.attempts else f"{FACTS}{code}",
        )

    def forgotten(self, seq: int) -> Memory:
        """Forget all that was made of the history up to a seq."""
        return Memory(self.incarnation, self.folds, forgotten_up_to=seq, indexed_up_to=seq, facts_up_to=seq)

    def rebuilt(self) -> Memory:
        """Begin anew, with what was forgotten too."""
        return Memory(self.incarnation, self.folds, rebuilding=True)


def backoff(attempts: int) -> int:
    """Tell the seconds until another try, after so many failures in a row."""
    return BACKOFF[attempts - 1] if attempts <= len(BACKOFF) else BACKOFF_LATER


def spaced(summaries: Sequence[Summary]) -> tuple[Summary, ...]:
    """Keep so few that what each covers is about half of the next: a fall-back loses no more than that.

    The newest stays. Of the others the one goes whose neighbours are nearest to each other, by the ratio of what they
    cover.
    """
    kept = list(summaries)
    while len(kept) > CHECKPOINTS:
        places = range(len(kept) - 1)
        del kept[min(places, key=lambda place: _ratio(kept, place))]
    return tuple(kept)


def _ratio(kept: Sequence[Summary], place: int) -> float:
    before = kept[place - 1].covers_up_to if place else 1
    return kept[place + 1].covers_up_to / max(before, 1)
