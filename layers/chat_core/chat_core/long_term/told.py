"""Facts as a view tells them: one's own in the notes, those of what comes up before the input; within one budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chat_core.long_term.facts.records import folded
from chat_core.long_term.facts.shown import fitting, line, neighbours, occurs, own_facts, subject_facts
from chat_core.long_term.fence import NOTES, RECALLED, escaped, fenced
from chat_core.long_term.language import language_of
from chat_core.long_term.notes import HEADINGS, notes_message
from chat_core.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.long_term.facts import Fact
    from chat_core.memory import AddOns


class Told(NamedTuple):
    """What a view tells of what is known.

    Parameters
    ----------
    own
        Facts that the user told of himself: they stand in the notes, and change with folds and erasures alone.
    found
        Those of the subjects that come up, and their neighbours.
    over
        What the budget had no room for.
    """

    own: tuple[Fact, ...] = ()
    found: tuple[Fact, ...] = ()
    over: tuple[Fact, ...] = ()

    @property
    def ids(self) -> list[str]:
        """Ids of all that is told."""
        return [fact.id for fact in (*self.own, *self.found)]


NOTHING_TOLD = Told()


def told(facts: Sequence[Fact], texts: Sequence[str], add_ons: AddOns, count: Callable[[str], int]) -> Told:
    """Choose what is told: the user's own facts first, as far as they go; what comes up has what is left.

    Parameters
    ----------
    facts
        All that are known here.
    texts
        The input and the last two turns.
    add_ons
        Of the turn.
    count
        Counts a text's tokens.
    """
    asked = [one for one in (add_ons.entities, add_ons.knowledge_graph) if one is not None]
    if not asked or not facts:
        return NOTHING_TOLD
    budget = max(one.max_tokens for one in asked)

    def cost(fact: Fact) -> int:
        return count(line(fact)) + 1

    own = fitting(own_facts(facts) if add_ons.entities else (), cost, most=budget)
    found = subject_facts(facts, texts)
    if depth := max(one.depth for one in asked):
        start = (*found, *(fact for fact in own_facts(facts) if _comes_up(fact, texts)))
        found = (*found, *neighbours(facts, start, depth=depth))
    shown = {fact.id for fact in own.facts}
    left = budget - sum(map(cost, own.facts))
    brought = fitting([fact for fact in dict.fromkeys(found) if fact.id not in shown], cost, most=left)
    return Told(own.facts, brought.facts, (*own.over, *brought.over))


def with_own(notes: Message | None, own: Sequence[Fact]) -> Message | None:
    """Write the user's own facts into the notes, behind the summary."""
    if not own:
        return notes
    lines = "\n".join(map(line, own))
    if notes is None:
        return notes_message(lines, _language(own))
    end = f"\n</{NOTES}>"
    return Message("user", f"{notes.text.removesuffix(end)}\n{escaped(lines)}{end}")


def found_message(found: Sequence[Fact]) -> Message | None:
    """Write the facts that come up as the message before the input."""
    if not found:
        return None
    heading = HEADINGS.get(_language(found), HEADINGS["en"])
    return Message("user", fenced(RECALLED, "\n".join(map(line, found)), heading=heading))


def joined(found: Message | None, recalled: Message | None) -> Message | None:
    """Make one message of the facts that come up and the turns that are recalled, within one fence."""
    if found is None or recalled is None:
        return found or recalled
    facts = found.text.removesuffix(f"\n</{RECALLED}>")
    turns = recalled.text.removeprefix(f"<{RECALLED}>\n")
    return Message("user", f"{facts}\n\n{turns}")


def _language(facts: Sequence[Fact]) -> str:
    return language_of([f"{fact.newest.subject} {fact.newest.predicate} {fact.newest.object}" for fact in facts])


def _comes_up(fact: Fact, texts: Sequence[str]) -> bool:
    """Whether what a fact of the user's is about comes up: ポチ of "user | has a dog | ポチ"."""
    return any(occurs(folded(fact.newest.object), folded(text)) for text in texts)
