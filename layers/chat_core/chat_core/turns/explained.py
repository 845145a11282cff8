"""A view as the resource ``conversation.context``: exactly what the model would get, what each part costs, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from chat_core.keys import id_of
from chat_core.long_term.facts.shown import line
from chat_core.messages import to_items
from chat_core.turns.brought_up import summed_up, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chat_core.history import Head
    from chat_core.messages import Message
    from chat_core.turns.context import TurnContext


class Effective(NamedTuple):
    """The memory settings that a view is of.

    Parameters
    ----------
    memory
        As the request object has them, the policy's defaults included.
    source
        What says so: the turn or query, the conversation, or the default.
    """

    memory: Mapping[str, Any]
    source: Literal["turn", "conversation", "default"]


def explained(context: TurnContext, head: Head, effective: Effective) -> dict[str, Any]:
    """Write a view and the reasons for it; the parts of ``tokens`` add up to its total."""
    view = context.view
    tokens = dict(view.tokens)
    if tokens:
        total = tokens.pop("total")
        tokens = {"total": total, **tokens, "framing": total - sum(tokens.values())}
    count = _counts(context)
    return {
        "object": "conversation.context",
        "conversation": head.conversation,
        "policy": context.policy,
        "memory": dict(effective.memory),
        "source": effective.source,
        "input": context.input,
        "messages": [
            {"item_ids": _ids_of(message, part, context, head), "part": part, "tokens": count(message)}
            for message, part in _parts(context)
        ],
        "tokens": tokens,
        "encoding": {"name": context.counter.encoding, "of_the_model": context.counter.known},
        "retained": view.retained,
        "evicted": view.evicted,
        "left_out": told(_left_out(context, head, count), context.recalled, head)
        + [
            {"fact_id": fact.id, "reason": "token_cap", "tokens": context.counter.text(line(fact))}
            for fact in context.told.over
        ],
        "facts": context.told.ids,
        "over_budget": view.over_budget,
        "stale": context.stale,
        **summed_up(context.recalled),
    }


def _left_out(context: TurnContext, head: Head, count: Callable[[Message], int]) -> list[dict[str, Any]]:
    return [
        {"item_id": item_id, "reason": left.reason, "tokens": 0 if place else count(left.message)}
        for left in context.view.left_out
        for place, item_id in enumerate(_item_ids(left.message, head))
    ]


def _ids_of(message: Message, part: str, context: TurnContext, head: Head) -> list[str]:
    """Tell the ids of the items that a message of a view is of, or quotes."""
    if part == "recalled" and context.recalled is not None:
        return list(context.recalled.item_ids)
    return _item_ids(_stored(message, part, context), head)


def _counts(context: TurnContext) -> Callable[[Message], int]:
    """Count messages as the view did: what stands in the place of one is counted itself."""
    as_stored = {id(message) for message in (*context.past.messages, *context.added)}

    def count(message: Message) -> int:
        changed = message.seq and id(message) not in as_stored
        return context.counter.message(message) if changed else context.counts.of(message)

    return count


def _stored(message: Message, part: str, context: TurnContext) -> Message:
    """Find the pinned system message, which the head holds without its place, in what was read."""
    if part != "system" or message.seq:
        return message
    same = (one for one in context.past.messages if one.role == "system" and one.content == message.content)
    return message if context.instructed else next(same, message)


def _parts(context: TurnContext) -> list[tuple[Message, str]]:
    """Tell of each message of a view to which part it belongs."""
    view, new = context.view, {id(message) for message in context.added}
    parts = []
    for place, message in enumerate(view.messages):
        if message is view.notes:
            part = "notes"
        elif message is view.recalled:
            part = "recalled"
        elif place == 0 and message.role == "system":
            part = "system"
        else:
            part = "input" if id(message) in new else "history"
        parts.append((message, part))
    return parts


def _item_ids(message: Message, head: Head) -> list[str]:
    """Tell the ids of a message's items; those of the request have none yet."""
    items = to_items([message])
    if not message.seq:
        return [str(item["id"]) for item in items if item.get("id")]
    first = message.seq - len(items) + 1
    return [id_of(item, head.incarnation, seq) for seq, item in enumerate(items, first)]
