"""Cases of token counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.tokens.counter import counter_for
from tests.chat_messages import from_chat
from tests.conformance.cases import compared
from tests.official_tokens import worst_relative_error

if TYPE_CHECKING:
    from tests.conformance.cases import Case, Outcome


def run(case: Case) -> Outcome:
    """Count what a case's messages take, and how far off the counts of a corpus are from tiktoken's own."""
    expected = {"error": None, **case["expected"]}
    counter = counter_for("gpt-4o")
    got: dict[str, Any] = {
        "error": None,
        "tokens": sum(counter.message(message) for message in from_chat(case["messages"])),
    }
    if (most := expected.pop("max_relative_error", None)) is not None:
        worst = worst_relative_error(counter.text)
        expected["within"], got["within"] = True, worst <= most
    return compared(expected, got)
