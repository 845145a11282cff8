"""Whether a commit makes a fold due: by an estimate on the head, since what was not folded need not be at hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chat_core.history import Unfolded
from chat_core.long_term.fold import BYTES_A_TOKEN, MESSAGE_BYTES
from chat_core.memory import NO_ADD_ONS, Folding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chat_core.history import Head
    from chat_core.memory import AddOns, MemoryPolicy
    from chat_core.messages import Message


ADD_ONS_FOLDING = Folding(4_000, 2_000)
"""When facts and index are due beside a policy without a summary."""

RECALL_MESSAGES = 24

MISSED_SECONDS = 300
"""Work that waits for longer is started by the schedule: its stream record was lost, or it was put off."""

QUIET_SECONDS = 1_800
"""A conversation in which nothing was said for so long has come to rest."""

QUIET_TOKENS = 300
"""With fewer that are new it is not worth a fold."""


def folding_of(policy: MemoryPolicy, add_ons: AddOns) -> Folding | None:
    """Tell when what is stored of a conversation's settings makes a fold due; None: never.

    A summary's fold takes facts and index along: what it does not cover, its window shows. Beside another policy short
    turns leave the window long before they are 4,000 tokens, so recall, whose folds cost no call of the chat model,
    counts messages, too.
    """
    if policy.folding is not None or add_ons == NO_ADD_ONS:
        return policy.folding
    return ADD_ONS_FOLDING if add_ons.recall is None else replace(ADD_ONS_FOLDING, or_messages=RECALL_MESSAGES)


def unfolded_by(messages: Iterable[Message], at_most: Callable[[Message], int]) -> Unfolded:
    """Tell what messages add to `Head.unfolded`.

    Parameters
    ----------
    at_most
        Bytes of a message's text; see `chat_core.tokens.TokenCounter.at_most`.
    """
    said = [message for message in messages if message.role != "system"]
    return Unfolded(sum(map(at_most, said)) + len(said) * (MESSAGE_BYTES - BYTES_A_TOKEN), len(said))


def is_overdue(unfolded: Unfolded, folding: Folding | None) -> bool:
    """Whether so much is more than the trigger, as far as can be estimated."""
    if folding is None:
        return False
    if folding.or_messages is not None and unfolded.messages > folding.or_messages:
        return True
    if folding.unit == "messages":
        return unfolded.messages > folding.trigger
    return unfolded.bytes > folding.trigger * BYTES_A_TOKEN


def makes_due(head: Head, added: Unfolded, folding: Folding | None, now: float) -> bool:
    """Whether a commit behind this head makes a fold due, or leaves one that is, and it may be tried by now."""
    return now >= head.fold_after and is_overdue(head.unfolded + added, folding)


def quiet_from(head: Head, add_ons: AddOns, now: float) -> float | None:
    """Tell when to look whether the conversation has come to rest, if a commit now begins to wait for that.

    It does where others are joined with the conversation, and only where nobody waits yet: with the first turn, also of
    a branch or a fork, and with the first after a rest. The schedule looks, and looks again until it is so.
    """
    if not add_ons.joins or (head.last is not None and now < head.updated_at + QUIET_SECONDS):
        return None
    return _rest(now)


def quiet_from_change(head: Head, before: AddOns, after: AddOns, now: float) -> float | None:
    """Tell the same where settings join others from now on, in the midst of what is said: no turn has begun to wait."""
    return _rest(now) if head.seq and after.joins and not before.joins else None


def _rest(now: float) -> float:
    return now + QUIET_SECONDS - MISSED_SECONDS
