"""Which conversations of a user share what is known: those whose own stored settings say so, on both sides."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from chat_core.errors import NotFound
from chat_core.keys import Address
from chat_core.memory import own_add_ons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.history import Head, History
    from chat_core.long_term.facts import Assertion
    from chat_core.long_term.facts.records import Moment

JOINED = 20
"""Most conversations that are joined: those in which something was said last."""


def shares_facts(head: Head) -> bool:
    """Tell whether a conversation joins others, as far as it is for it to say."""
    return own_add_ons(head.memory).joins_facts


async def of_joined(history: History, head: Head, assertions: Sequence[Assertion]) -> list[Assertion]:
    """Leave what was said in a conversation and, if it joins others, in those that join it: heads are read now."""
    if not shares_facts(head):
        return [one for one in assertions if one.conversation == head.conversation]
    last: dict[str, Moment] = {}
    for one in assertions:
        last[one.conversation] = max(one.moment, last.get(one.conversation, one.moment))
    last.pop(head.conversation, None)
    newest = sorted(last, key=lambda name: last[name], reverse=True)[:JOINED]
    found = await asyncio.gather(*(_shares(history, Address(head.address.user, name)) for name in newest))
    joined = {head.conversation, *(name for name, shares in zip(newest, found, strict=True) if shares)}
    return [one for one in assertions if one.conversation in joined]


async def _shares(history: History, address: Address) -> bool:
    with suppress(NotFound):
        return shares_facts(await history.head(address))
    return False
