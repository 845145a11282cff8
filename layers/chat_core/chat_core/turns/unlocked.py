"""Views without a turn: what the model sees of a conversation, or would see, while nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.errors import NotFound
from chat_core.history import Head
from chat_core.keys import is_generated_id
from chat_core.memory import merge_settings, parse_turn_settings
from chat_core.turns.context import turn_context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.history import History
    from chat_core.keys import Address
    from chat_core.messages import Item
    from chat_core.turns.context import TurnContext

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
    history: History,
    address: Address,
    *,
    default_memory: Mapping[str, Any],
    override: Mapping[str, Any] | None,
    model: str,
) -> dict[str, Any]:
    """Tell what a model would see of a conversation's history.

    Parameters
    ----------
    default_memory
        Memory settings of a conversation that has none.
    override
        Other memory settings to look through, or None.
    model
        Whose encoding counts the tokens.

    Raises
    ------
    NotFound
        As `head_or_new`.
    InvalidRequest
        If the settings are none that a policy has.
    """
    head = await head_or_new(history, address)
    settings = parse_turn_settings(merge_settings(default_memory, head.memory), override)
    context = await turn_context(
        history, head, state=None, policy=settings.policy, items=(), body={"model": model}, explain=True
    )
    return context.explained(head)


async def unlocked_context(
    history: History,
    address: Address,
    *,
    default_memory: Mapping[str, Any],
    override: Mapping[str, Any] | None,
    items: Sequence[Item],
    body: Mapping[str, Any],
    explain: bool,
) -> tuple[Head, TurnContext]:
    """Compute the view of a turn that is not to be stored: it takes no lease and creates no conversation.

    Parameters
    ----------
    items, body
        As for `chat_core.turns.context.turn_context`.
    explain
        See there.
    """
    head = await head_or_new(history, address)
    settings = parse_turn_settings(merge_settings(default_memory, head.memory), override)
    context = await turn_context(
        history, head, state=None, policy=settings.policy, items=items, body=body, explain=explain
    )
    return head, context
