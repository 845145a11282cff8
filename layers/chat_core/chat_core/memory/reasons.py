"""Why a view leaves a message out."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "window",
    "orphan",
    "duplicate",
    "unanswered",
    "superseded_system",
    "instructions",
    "reasoning",
    "empty",
    "unknown_role",
    "cleared",
    "summarised",
    "not_yet_summarised",
    "skipped",
    "forgotten",
]
"""Why a message is left out.

``window``: the policy has no room for it. ``orphan``: a tool result without its call. ``duplicate``: a second result
of a call, or a system message with the text of the one before. ``unanswered``: a call without a result.
``superseded_system``: a later system message took its place. ``instructions``: the turn's own instructions stand in
for it. ``reasoning``: it cannot be sent, or what it led to is gone. ``empty``: it has no content. ``unknown_role``: no
model takes such a role. ``cleared``: the tool result's content gave way to a placeholder. ``summarised``: the notes
tell what was in it. ``not_yet_summarised``: neither has the policy room for it nor do the notes tell of it yet.
``skipped``: no summary could be made of it. ``forgotten``: its owner had the notes forget it.
"""
