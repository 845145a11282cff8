"""What a turn's input brings up of what its view does not show: it stands before the input, within the budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.keys import item_id
from chat_core.long_term.question import Question, Shown, last_said
from chat_core.long_term.recaller import NOTHING_RECALLED
from chat_core.memory import first_item
from chat_core.messages import from_items, stored_item
from chat_core.turns.item_references import is_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chat_core.history import Head
    from chat_core.long_term.recaller import Recalled, Told
    from chat_core.memory import MemoryPolicy, RecallSettings, View
    from chat_core.messages import Message
    from chat_core.turns.request import TurnRequest
    from chat_core.turns.sources import Sources

SHARE = 4
"""It may take one part in so many of a budget."""

NOT_SHOWN = frozenset({"window", "not_yet_summarised"})
"""Reasons that say no more than that there was no room: recall's says more."""


def begin_question(sources: Sources, request: TurnRequest) -> Question | None:
    """Have the input embedded while the lease is taken, where recall is likely to be on: the head tells for sure."""
    recaller = sources.recaller
    if recaller is None or not recaller.is_likely(request.address, request.memory):
        return None
    inputs = from_items([stored_item(item) for item in request.input if not is_reference(item)])
    question = Question.of(request.address.user, inputs, recaller.vectors)
    question.start()
    return question


class Wanted(NamedTuple):
    """What recall is asked for in a turn.

    Parameters
    ----------
    settings
        The turn's.
    question
        Begun beside the lease; None: it was not.
    keep
        Whether the question may leave a trace.
    """

    settings: RecallSettings
    question: Question | None = None
    keep: bool = True


class Seen(NamedTuple):
    """A view without what the input brings up, and what it was made of."""

    view: View
    history: Sequence[Message]
    inputs: Sequence[Message]
    policy: MemoryPolicy

    @property
    def shown(self) -> Shown:
        """Tell what need not be recalled."""
        places = [first_item(one) for one in self.view.messages if one.seq and one.role != "system"]
        return Shown(min(places, default=None), last_said(self.history))


async def bring_up(
    sources: Sources,
    head: Head,
    wanted: Wanted | None,
    seen: Seen,
    *,
    again: Callable[[Message], View],
    count: Callable[[str], int],
) -> tuple[View, Recalled | None]:
    """Recall, and make the view with it.

    Parameters
    ----------
    wanted
        None: recall is off.
    again
        Makes the view with the message.
    count
        Counts a text's tokens.

    Returns
    -------
    tuple
        The view, and what was recalled; None with recall off. What would push out what must stay is left out.
    """
    recaller = sources.recaller
    if wanted is None:
        return seen.view, None
    if recaller is None or not seen.inputs:
        return seen.view, NOTHING_RECALLED
    settings = wanted.settings
    if seen.policy.budget is not None:
        settings = replace(settings, max_tokens=min(settings.max_tokens, seen.policy.budget // SHARE))
    question = wanted.question or Question.of(head.address.user, seen.inputs, recaller.vectors, keep=wanted.keep)
    try:
        recalled = await recaller.recall(head, question, seen.shown, settings, count)
    finally:
        question.close()
    if recalled.message is None:
        return seen.view, recalled
    view = again(recalled.message)
    if view.refusal is not None or (view.over_budget and not seen.view.over_budget):
        crowded = [replace(one, reason=one.reason or "token_cap") for one in recalled.considered]
        return seen.view, replace(recalled, message=None, item_ids=(), considered=tuple(crowded))
    return view, recalled


def told(left_out: list[dict[str, Any]], recalled: Recalled | None, head: Head) -> list[dict[str, Any]]:
    """Tell of what a view leaves out what recall made of it: a score, and its reason where the view has none better.

    Turns that are not among it, since they are of long ago or of another conversation, are told by their first item.
    """
    if recalled is None:
        return left_out
    shown = set(recalled.item_ids)
    verdicts = {
        (one.incarnation, seq): one
        for one in recalled.considered
        if one.reason
        for seq in range(one.first_seq, one.last_seq + 1)
    }
    entries = []
    met: set[Told] = set()
    for entry in left_out:
        if entry["item_id"] in shown:
            continue
        verdict = verdicts.get((head.incarnation, int(entry["item_id"][-12:], 16)))
        if verdict is None:
            entries.append(entry)
            continue
        met.add(verdict)
        reason = verdict.reason if entry["reason"] in NOT_SHOWN else entry["reason"]
        entries.append({**entry, "reason": reason, "score": verdict.score})
    for one in recalled.considered:
        if one.reason and one not in met:
            first = item_id("msg", one.incarnation, one.first_seq)
            entries.append({"item_id": first, "reason": one.reason, "tokens": one.tokens, "score": one.score})
    return entries


def summed_up(recalled: Recalled | None) -> dict[str, Any]:
    """Tell under ``recall`` what was searched, and what of it is shown; nothing with recall off."""
    if recalled is None:
        return {}
    found = {
        "degraded": recalled.degraded,
        "turns": recalled.turns,
        "conversations": recalled.conversations,
        "shown": [
            {
                "conversation": one.conversation,
                "item_id": item_id("msg", one.incarnation, one.first_seq),
                "score": one.score,
                "tokens": one.tokens,
            }
            for one in recalled.considered
            if not one.reason
        ],
    }
    return {"recall": found}
