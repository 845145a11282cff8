"""Memory policies: pure functions from the messages of a conversation to the view that the model gets.

How to call::

    from chat_core.memory import Counting, parse_policy

    policy = parse_policy({"policy": "token_window", "max_tokens": 2000})     # InvalidRequest names the field
    view = policy.view(messages)                                              # the whole history, input included
    view = policy.view(messages, counting=Counting(count=lambda m: counts[m.id], overhead=3))
    [m.id for m in view.messages], view.over_budget, view.cleared, view.left_out, view.tokens
    if view.refusal: raise view.refusal                                       # on_overflow "error"; view() never raises

A turn works on a tail: ``view(tail + input, system=head's, inputs=len(input), earlier=…)``. What `Kept` holds (by way
of the packed value) or a read of the newest `MemoryPolicy.reach` messages will do; while ``view.short``, twice as many
are read. After the commit ``stored_policy.keep(tail + turn)`` says what to pack, and the anchor for the head.

A policy is one file here and one line in `chat_core.memory.registry`.
"""

from chat_core.memory.add_ons import NO_ADD_ONS, AddOns, FactSettings, RecallSettings, own_add_ons, parse_add_ons
from chat_core.memory.places import first_item
from chat_core.memory.policy import (
    NO_NOTES,
    NOTHING_EARLIER,
    UNCOUNTED,
    Counting,
    Earlier,
    Folding,
    Kept,
    LeftOut,
    MemoryPolicy,
    Notes,
    View,
)
from chat_core.memory.settings import (
    TurnMemory,
    effective_settings,
    is_override,
    merge_settings,
    parse_policy,
    parse_turn_settings,
)
from chat_core.memory.units import has_late_results, pinned_item
from chat_core.messages import BEGINNING, Anchor

__all__ = [
    "BEGINNING",
    "NOTHING_EARLIER",
    "NO_ADD_ONS",
    "NO_NOTES",
    "UNCOUNTED",
    "AddOns",
    "Anchor",
    "Counting",
    "Earlier",
    "FactSettings",
    "Folding",
    "Kept",
    "LeftOut",
    "MemoryPolicy",
    "Notes",
    "RecallSettings",
    "TurnMemory",
    "View",
    "effective_settings",
    "first_item",
    "has_late_results",
    "is_override",
    "merge_settings",
    "own_add_ons",
    "parse_add_ons",
    "parse_policy",
    "parse_turn_settings",
    "pinned_item",
]
