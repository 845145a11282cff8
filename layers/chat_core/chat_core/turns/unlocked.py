"""Views without a turn: what the model sees of a conversation, or would see, while nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.errors import NotFound
from chat_core.history import Head
from chat_core.keys import is_generated_id
from chat_core.memory import effective_settings, is_override, merge_settings, parse_turn_settings
from chat_core.timing import timed
from chat_core.turns.context import Asked, turn_context
from chat_core.turns.explained import Effective, explained
from chat_core.turns.past import explained_past

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.history import History
    from chat_core.keys import Address
    from chat_core.turns.context import TurnContext
    from chat_core.turns.sources import Sources

_NOT_CREATED = "0" * 16


async def head_or_new(history: History, address: Address) -> Head:
    """Read a head; under a name of the caller's own that nothing came under yet, that of an empty conversation.

    Raises
    ------
    NotFound
        If it is an id that we make, and there is no such conversation.
    """
    try:
        return await history.head(address)
    except NotFound:
        if is_generated_id(address.conversation):
            raise
        return Head(address, _NOT_CREATED)


async def conversation_context(
    sources: Sources,
    address: Address,
    *,
    default_memory: Mapping[str, Any],
    overrides: Sequence[Mapping[str, Any] | None],
    model: str,
) -> tuple[Head, list[dict[str, Any]]]:
    """Tell what a model would see of a conversation's history, through one or more settings; it is read once.

    Parameters
    ----------
    default_memory
        Memory settings of a conversation that has none.
    overrides
        The memory settings to look through; None: the conversation's own.
    model
        Whose encoding counts the tokens.

    Returns
    -------
    tuple
        The conversation's head, and the resource ``conversation.context`` of each.

    Raises
    ------
    NotFound
        As `head_or_new`.
    InvalidRequest
        If the settings are none that a policy has.
    """
    head = await head_or_new(sources.history, address)
    stored = merge_settings(default_memory, head.memory)
    memories = [parse_turn_settings(stored, override) for override in overrides]
    past = None
    if len(memories) > 1:
        reaches = [memory.policy.reach for memory in memories]
        past = await explained_past(sources.history, head, None if None in reaches else max(filter(None, reaches)))
    asked = Asked((), {"model": model}, explain=True, past=past)
    contexts = [await turn_context(sources, head, asked, memory=memory) for memory in memories]
    return head, [
        explained(context, head, effective(default_memory, head, override))
        for context, override in zip(contexts, overrides, strict=True)
    ]


def effective(default_memory: Mapping[str, Any], head: Head, override: Mapping[str, Any] | None) -> Effective:
    """Tell which memory settings hold, and what says so."""
    settings = effective_settings(merge_settings(default_memory, head.memory), override)
    return Effective(settings, "turn" if is_override(override) else "conversation" if head.memory else "default")


async def unlocked_context(
    sources: Sources,
    address: Address,
    asked: Asked,
    *,
    default_memory: Mapping[str, Any],
    override: Mapping[str, Any] | None,
) -> tuple[Head, TurnContext]:
    """Compute the view of a turn that is not to be stored: it takes no lease and creates no conversation.

    Parameters
    ----------
    asked
        See there.
    default_memory, override
        As for `conversation_context`.
    """
    head = await head_or_new(sources.history, address)
    return await context_at(sources, head, asked, default_memory=default_memory, override=override)


async def context_at(
    sources: Sources,
    head: Head,
    asked: Asked,
    *,
    default_memory: Mapping[str, Any],
    override: Mapping[str, Any] | None,
) -> tuple[Head, TurnContext]:
    """Compute the view of a turn behind a head; see `unlocked_context`."""
    settings = parse_turn_settings(merge_settings(default_memory, head.memory), override)
    with timed("view"):
        return head, await turn_context(sources, head, asked, memory=settings)
