"""What the model gets in a turn: the memory policy's view, from the hot value or rebuilt from the durable tail."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.errors import InvalidRequest
from chat_core.long_term import NOTHING_TOLD, Told, is_overdue, told
from chat_core.memory import UNCOUNTED, has_late_results, pinned_item
from chat_core.messages import Message, from_items, stored_item, upstream_items
from chat_core.tokens import REQUEST_TOKENS, RememberedCounts, context_window, counter_for
from chat_core.turns.brought_up import Seen, Wanted, bring_up
from chat_core.turns.explainable import check_size
from chat_core.turns.item_references import new_items
from chat_core.turns.knowing import Acquainted, brought_up_by, facts_for
from chat_core.turns.looking import Looking, history_of, recalling_behind, telling_before
from chat_core.turns.past import Past, explained_past, read_past
from chat_core.turns.sources import UNKNOWN, Remembered, known, notes_for, read
from chat_core.turns.tool_results import check_answers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.history import Head
    from chat_core.hot import KeptFacts, MemoryState
    from chat_core.long_term.question import Question
    from chat_core.long_term.recaller import Recalled
    from chat_core.memory import Counting, Kept, MemoryPolicy, TurnMemory, View
    from chat_core.messages import Item
    from chat_core.tokens import TokenCounter
    from chat_core.turns.reports import MemoryReport
    from chat_core.turns.sources import Sources

ANSWER_TOKENS = 4_096
"""What is kept free for an answer whose length is not bounded."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a view is for.

    Parameters
    ----------
    items
        The caller's input.
    body
        What goes to the model beside it: its ``model``, ``instructions`` and ``tools`` count.
    explain
        Whether to count the tokens in any case, and to read far enough back to tell what is left out.
    past
        What was read already, None when nothing was.
    question
        What the input asks of recall, where that was begun beside the lease.
    leaves_trace
        Whether what is asked may be remembered.
    """

    items: Sequence[Item]
    body: Mapping[str, Any]
    explain: bool = False
    past: Past | None = None
    question: Question | None = None
    leaves_trace: bool = True

    def wanted(self, memory: TurnMemory) -> Wanted | None:
        """Tell what is asked of recall; None: nothing."""
        settings = memory.add_ons.recall
        keep = self.leaves_trace and not self.explain
        return None if settings is None else Wanted(settings, self.question, keep)


class TurnContext(NamedTuple):
    """A turn's view of its conversation.

    Parameters
    ----------
    policy
        Name of the policy that computed it.
    view
        See `chat_core.memory.View`.
    past
        What it was computed from.
    given, added
        The caller's items as they are to be stored, and as messages.
    system
        The pinned system message from now on.
    instructed
        Whether the turn's own instructions stand at the view's head: they go upstream by their own parameter.
    counter, counts
        What counted, and the counts that the next turn need not make again.
    remembered
        What is known of long-term memory.
    stale
        Whether that is behind: a fold is due, or what was written could not be read.
    told
        What is told of what is known.
    recalled
        What the input brought up of the history; None with recall off.
    facts
        What the next turn need not read again of what is known.
    """

    policy: str
    view: View
    past: Past
    given: tuple[Item, ...]
    added: tuple[Message, ...]
    system: Item | None
    instructed: bool
    counter: TokenCounter
    counts: RememberedCounts
    remembered: Remembered
    stale: bool
    told: Told = NOTHING_TOLD
    recalled: Recalled | None = None
    facts: KeptFacts | None = None

    @property
    def input(self) -> list[Item]:
        """The items that go to the model."""
        return upstream_items(self.view.messages[1:] if self.instructed else self.view.messages)

    @property
    def is_personal(self) -> bool:
        """Whether it holds what is remembered of the user."""
        return self.view.notes is not None or self.view.recalled is not None

    @property
    def report(self) -> MemoryReport:
        """Our member ``omoide.memory`` of the answer."""
        report: MemoryReport = {
            "policy": self.policy,
            "tokens": dict(self.view.tokens) or self._notes_alone(),
            "retained": self.view.retained,
            "evicted": self.view.evicted,
            "over_budget": self.view.over_budget,
            "stale": self.stale,
        }
        if self.told.ids:
            report["facts"] = self.told.ids
        if self.recalled is not None:
            report |= {"recalled": list(self.recalled.item_ids), "degraded": self.recalled.degraded}
        return report

    def _notes_alone(self) -> dict[str, int] | None:
        """Tell what long-term memory's messages cost where the bytes showed that all fits: nothing else was counted."""
        parts = (("notes", self.view.notes), ("recalled", self.view.recalled))
        return {part: self.counter.message(message) for part, message in parts if message} or None

    def keep(self, policy: MemoryPolicy, added: Sequence[Message]) -> Kept:
        """Choose what the next turn may need, once ``added`` is committed."""
        counting = self.counts.counting() if policy.counts_tokens else UNCOUNTED
        earlier = replace(self.past.earlier, notes=notes_for(policy, self.remembered))
        return policy.keep((*self.past.messages, *added), earlier=earlier, counting=counting)


async def turn_context(
    sources: Sources,
    head: Head,
    asked: Asked,
    *,
    memory: TurnMemory,
    state: MemoryState | None = None,
) -> TurnContext:
    """Compute a turn's view.

    Parameters
    ----------
    head
        The conversation as it is.
    asked
        See there.
    memory
        The turn's settings.
    state
        The conversation's memory value, if it is believed.

    Raises
    ------
    InvalidRequest
        If an item is a tool result without its call or a reference to nothing, or the policy refuses what does not fit.
    RequestTooLarge
        If there is more to explain than one answer holds.
    """
    body, explain, policy, reach = asked.body, asked.explain, memory.policy, memory.policy.reach
    fresh = await new_items(sources, head, asked.items)
    given = tuple(map(stored_item, fresh.items))
    added = from_items(given)
    model = str(body.get("model") or "")
    pinned, own = _pinned(head), _instructions(body)
    counter = counter_for(model)
    counts = RememberedCounts(counter, _known_counts(state, counter))
    counting = _counting(counts, policy, body, explain=explain)
    check_budget(policy, pinned, model)
    past = _at_hand(asked, head, state, added)
    if explain and past is None:
        past = await explained_past(sources.history, head, reach)
    past, found, acquainted = await _read(sources, head, memory, state, past)
    while True:
        past = past or await read_past(sources.history, head, reach)
        if explain:
            check_size(past.messages)
        looking = Looking(policy, (*past.messages, *added), pinned, own, len(added), counting)
        view = looking.at(replace(past.earlier, notes=notes_for(policy, found)))
        if not view.short:
            break
        reach = 2 * max(len(past.messages), 8)
        past = None
    telling = told(acquainted.facts or (), brought_up_by(history_of(view, added), added), memory.add_ons, counter.text)
    earlier = telling_before(past.earlier, notes_for(policy, found), telling)
    view = view if telling is NOTHING_TOLD else looking.at(earlier)
    await check_answers(sources.history, head, fresh, past)
    seen, recalling = Seen(view, past.messages, added, policy), partial(recalling_behind, looking, earlier)
    view, recalled = await bring_up(sources, head, asked.wanted(memory), seen, again=recalling, count=counter.text)
    if view.refusal is not None and not explain:
        raise view.refusal
    return TurnContext(
        policy=policy.name,
        view=view,
        past=past,
        given=given,
        added=added,
        system=pinned_item(added, head.system),
        instructed=own is not None,
        counter=counter,
        counts=counts,
        remembered=found,
        stale=acquainted.facts is None or _is_behind(head, policy, found),
        told=telling,
        recalled=recalled,
        facts=acquainted.kept,
    )


def _at_hand(asked: Asked, head: Head, state: MemoryState | None, added: Sequence[Message]) -> Past | None:
    if state is None or asked.explain:
        return asked.past
    if has_late_results(state.kept.messages, added):
        return None
    # Where a window with steps starts stands on the head alone, so that no copy can tell otherwise.
    return Past(state.kept.messages, replace(state.kept.earlier, anchor=head.anchor))


def _is_behind(head: Head, policy: MemoryPolicy, found: Remembered) -> bool:
    """Tell whether there is more to fold than there should be, or what was folded could not be read."""
    folding = policy.folding
    return folding is not None and (found.folds == UNKNOWN or is_overdue(head.unfolded, folding))


def _pinned(head: Head) -> Message | None:
    return from_items([head.system])[0] if head.system else None


def _instructions(body: Mapping[str, Any]) -> Message | None:
    return Message("system", content=body["instructions"]) if body.get("instructions") else None


def _known_counts(state: MemoryState | None, counter: TokenCounter) -> Mapping[int, int]:
    return state.tokens if state is not None and state.encoding == counter.encoding else {}


def _counting(counts: RememberedCounts, policy: MemoryPolicy, body: Mapping[str, Any], *, explain: bool) -> Counting:
    if not (explain or policy.counts_tokens):
        return UNCOUNTED
    counting = counts.counting(body.get("tools") or (), bounded=not explain)
    return replace(counting, window=_input_window(body))


def _input_window(body: Mapping[str, Any]) -> int | None:
    """Tell what the request's model takes, less the answer; None for a model that is not known here."""
    most = context_window(str(body.get("model") or ""))
    if most is None:
        return None
    asked = body.get("max_output_tokens")
    return most - (asked if isinstance(asked, int) else min(ANSWER_TOKENS, most // 4))


async def _read(
    sources: Sources, head: Head, memory: TurnMemory, state: MemoryState | None, past: Past | None
) -> tuple[Past, Remembered, Acquainted]:
    """Read the tail, the notes and the facts, side by side and as far as they are not at hand."""
    found = known(head, state, memory)
    if past is not None and found is not None:
        return past, found, await facts_for(sources, head, memory, state)

    async def tail() -> Past:
        return past or await read_past(sources.history, head, memory.policy.reach)

    async def notes() -> Remembered:
        return found or await read(sources, head)

    return await asyncio.gather(tail(), notes(), facts_for(sources, head, memory, state))


def check_budget(policy: MemoryPolicy, pinned: Message | None, model: str = "") -> None:
    """Refuse a budget that no turn of a conversation could keep, or that its model does not have.

    Parameters
    ----------
    pinned
        The conversation's system message.
    model
        The request's; empty: any, so that its context window bounds nothing.

    Raises
    ------
    InvalidRequest
        Naming the field and its range.
    """
    if not policy.counts_tokens:
        return
    counter, most = counter_for(model), context_window(model)
    if pinned is not None:
        # Bytes bound the count: most budgets are far from it, and need no vocabulary.
        with suppress(InvalidRequest):
            policy.check_budget(least=REQUEST_TOKENS + counter.at_most(pinned), most=most)
            return
    policy.check_budget(least=REQUEST_TOKENS + (counter.message(pinned) if pinned else 0), most=most)
