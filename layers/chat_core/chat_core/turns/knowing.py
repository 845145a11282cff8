"""What a turn knows: the facts of its conversation, and of others whose own settings join them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chat_core.errors import StoreUnavailable
from chat_core.hot import KeptFacts
from chat_core.long_term import kept_rows, of_joined, read_rows, resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chat_core.history import Head
    from chat_core.hot import MemoryState
    from chat_core.long_term import Fact
    from chat_core.memory import AddOns, TurnMemory
    from chat_core.messages import Message
    from chat_core.turns.sources import Sources

TURNS = 2
"""So many of the last turns, beside the input, bring facts up."""


@dataclass(frozen=True, slots=True)
class Acquainted:
    """What a turn knows.

    Parameters
    ----------
    facts
        None where they could not be read: the turn goes on without.
    kept
        What the next turn need not read again.
    """

    facts: tuple[Fact, ...] | None = ()
    kept: KeptFacts | None = None


async def facts_for(sources: Sources, head: Head, memory: TurnMemory, state: MemoryState | None = None) -> Acquainted:
    """Find what is known for a turn: in the memory value if it is of the head's state, else where facts are kept.

    Joined are the user's other conversations only where the stored settings of both sides say so, read now: a turn's
    override alone joins nothing, and one that was changed back is out at once.
    """
    here, asked = not memory.stored_add_ons.joins_facts, _tells(memory.add_ons)
    held = _held(state, head, sources.clock()) if here and _tells(memory.stored_add_ons) else None
    if not asked:
        return Acquainted(kept=held)
    if held is not None:
        return Acquainted(read_rows(held.rows), held)
    if here and not (head.folds or head.edits):
        return Acquainted()  # nothing was ever found
    try:
        if here:
            known = await sources.facts.of_conversation(head)
            facts = resolved(known.assertions, known.tombstones)
            rows = kept_rows(facts) if _tells(memory.stored_add_ons) else None
            return Acquainted(facts, None if rows is None else KeptFacts(head.folds, known.until, rows))
        known = await sources.facts.of_user(head.address.user)
        said = await of_joined(sources.history, head, known.assertions)
        return Acquainted(resolved(said, known.tombstones))
    except StoreUnavailable:
        return Acquainted(None)


def _tells(add_ons: AddOns) -> bool:
    return add_ons.entities is not None or add_ons.knowledge_graph is not None


def _held(state: MemoryState | None, head: Head, now: float) -> KeptFacts | None:
    """Take what the memory value holds, if it is of the head's state and nothing of it has expired."""
    kept = None if state is None else state.facts
    if kept is None or kept.folds != head.folds or (kept.until is not None and kept.until <= now):
        return None
    return kept


def brought_up_by(messages: Sequence[Message], added: Iterable[Message]) -> list[str]:
    """List the texts that bring facts up: the input's, and those of the last turns that a view shows."""
    said = [message for message in messages if message.role in ("user", "assistant")]
    starts = [place for place, message in enumerate(said) if message.role == "user"]
    recent = said[starts[-TURNS] :] if len(starts) >= TURNS else said
    return [message.text for message in (*recent, *added) if message.role in ("user", "assistant")]
