"""``summary``: a summary of the conversation, and whole the turns that it does not cover yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.memory.fields import PolicySpec
from chat_core.memory.summarised import FIELDS, Summarised, threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIGGER_TOKENS = 1_000


@dataclass(frozen=True)
class Summary(Summarised):
    """Almost nothing but the summary: at each fold all goes into it but the newest turn."""

    name = "summary"


def _build(values: Mapping[str, Any]) -> Summary:
    return Summary(threshold(values, trigger_tokens=TRIGGER_TOKENS, keep=0))


SPEC = PolicySpec("summary", FIELDS, _build)
