"""``summary_window``: the newest turns as they were, behind a summary of those before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chat_core.memory.fields import MAX_TOKENS, Integer, PolicySpec
from chat_core.memory.summarised import FIELDS, NOTES_SHARE, SMALLEST_SUMMARY, TAIL_TRIGGERS, Summarised, threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIGGER_TOKENS = 4_000


@dataclass(frozen=True)
class SummaryWindow(Summarised):
    """A window of whole turns, of which half go into the summary when it is full: a fold in about twenty turns."""

    name = "summary_window"


def _build(values: Mapping[str, Any]) -> SummaryWindow:
    """Let a budget alone set the trigger, so that what is not summarised yet has room in it."""
    budget: int = values["max_tokens"] or 0
    trigger = min(TRIGGER_TOKENS, max(budget // TAIL_TRIGGERS, 1)) if budget else TRIGGER_TOKENS
    folding = threshold(values, trigger_tokens=trigger)
    if budget:
        most = max(budget // NOTES_SHARE, SMALLEST_SUMMARY)
        folding = replace(folding, max_summary_tokens=min(folding.max_summary_tokens, most))
    return SummaryWindow(folding, budget)


SPEC = PolicySpec("summary_window", {**FIELDS, "max_tokens": Integer(1, MAX_TOKENS)}, _build)
