"""Current facts in the few words that a view needs: a conversation's memory value holds its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.long_term.facts.records import Assertion, Evidence, Fact, Moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_CHARACTERS = 6_000
"""More are read from their store each time: every KiB of the value costs each turn two operations of the cache."""

Row = list[Any]


def kept_rows(facts: Iterable[Fact]) -> list[Row] | None:
    """Write the current facts, None where they are too many."""
    rows = [
        [fact.id, newest.subject, newest.predicate, newest.object, fact.valid_from, fact.moment.at, fact.moment.seq]
        for fact in facts
        if fact.status == "current" and (newest := fact.newest)
    ]
    written = sum(len(str(cell)) for row in rows for cell in row)
    return rows if written <= MOST_CHARACTERS else None


def read_rows(rows: Sequence[Sequence[Any]]) -> tuple[Fact, ...]:
    """Read facts, as far as a view tells of them."""
    return tuple(_fact(*row) for row in rows)


def _fact(fact_id: str, subject: str, predicate: str, obj: str, valid_from: str | None, *moment: int) -> Fact:
    evidence = (Evidence("", Moment(*moment)),)
    told = Assertion(fact_id, "add", subject, predicate, obj, evidence=evidence, valid_from=valid_from)
    return Fact(fact_id, (told,))
