"""Which facts a view shows: one's own, those of the subjects that come up, and their neighbours in the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chat_core.long_term.facts.records import USER, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chat_core.long_term.facts.records import Fact


class Shown(NamedTuple):
    """Facts that a view shows, and those that its budget left out.

    Parameters
    ----------
    facts
        The current ones that are shown.
    over
        What did not fit.
    """

    facts: tuple[Fact, ...]
    over: tuple[Fact, ...] = ()


def own_facts(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Choose the current facts that somebody told about himself, the newest first."""
    return _newest_first(fact for fact in facts if _subject(fact) == USER)


def subject_facts(facts: Iterable[Fact], texts: Iterable[str]) -> tuple[Fact, ...]:
    """Choose the current facts of the subjects that occur in the texts, but the user's own, the newest first.

    A subject occurs as its folded text, which works without spaces (ポチの散歩); where it begins or ends with a letter
    of a script that has word borders, there must be one.
    """
    said = [folded(text) for text in texts]
    return _newest_first(
        fact for fact in facts if (subject := _subject(fact)) != USER and any(occurs(subject, text) for text in said)
    )


def neighbours(facts: Sequence[Fact], found: Iterable[Fact], *, depth: int) -> tuple[Fact, ...]:
    """Choose the current facts that share a subject or an object with those found, step by step.

    Parameters
    ----------
    depth
        How many steps; 1 for direct neighbours.
    """
    current = [fact for fact in facts if fact.status == "current"]
    reached = {fact.id: fact for fact in found}
    nodes = {node for fact in reached.values() for node in _nodes(fact)}
    added: dict[str, Fact] = {}
    for _ in range(depth):
        step = [fact for fact in current if fact.id not in reached and not nodes.isdisjoint(_nodes(fact))]
        if not step:
            break
        for fact in step:
            reached[fact.id] = added[fact.id] = fact
        nodes = {node for fact in step for node in _nodes(fact)}
    return _newest_first(added.values())


def fitting(facts: Sequence[Fact], count: Callable[[Fact], int], *, most: int) -> Shown:
    """Keep the facts that fit a budget of tokens; one that does not fit is passed over whole.

    Parameters
    ----------
    count
        Tokens of one fact as it is shown.
    most
        Tokens of all.
    """
    shown: list[Fact] = []
    over: list[Fact] = []
    left = most
    for fact in facts:
        cost = count(fact)
        if cost <= left:
            left -= cost
            shown.append(fact)
        else:
            over.append(fact)
    return Shown(tuple(shown), tuple(over))


def line(fact: Fact) -> str:
    """Write a fact as a line of the notes: subject, predicate, object, and since when."""
    newest = fact.newest
    since = f" ({fact.valid_from}–)" if fact.valid_from else ""
    return f"- {newest.subject} | {newest.predicate} | {newest.object}{since}"


def occurs(subject: str, text: str) -> bool:
    """Whether a folded subject occurs in a folded text."""
    start = text.find(subject) if subject else -1
    while start >= 0:
        end = start + len(subject)
        if not (_joined(text[start - 1 : start], subject[0]) or _joined(subject[-1], text[end : end + 1])):
            return True
        start = text.find(subject, start + 1)
    return False


def _joined(before: str, after: str) -> bool:
    """Whether two neighbouring characters stand in one word: both of a script that writes spaces between words."""
    return bool(before) and bool(after) and _spaced(before) and _spaced(after)


def _spaced(character: str) -> bool:
    # From Thai on scripts are written without spaces, or endings are joined to words; but for more Latin and Greek.
    place = ord(character)
    return character.isalnum() and (place < 0x0E00 or 0x1E00 <= place < 0x2000)


def _subject(fact: Fact) -> str:
    return folded(fact.newest.subject)


def _nodes(fact: Fact) -> set[str]:
    return {node for node in (_subject(fact), folded(fact.newest.object)) if node and node != USER}


def _newest_first(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    current = (fact for fact in facts if fact.status == "current")
    return tuple(sorted(current, key=lambda fact: (fact.moment, fact.id), reverse=True))
