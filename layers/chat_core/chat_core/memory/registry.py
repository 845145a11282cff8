"""The memory policies that there are: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.memory.policies import (
    buffer,
    clear_tool_results,
    message_window,
    summary,
    summary_window,
    token_window,
    turn_window,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.memory.fields import PolicySpec

POLICIES: Mapping[str, PolicySpec] = {
    spec.name: spec
    for spec in (
        buffer.SPEC,
        message_window.SPEC,
        turn_window.SPEC,
        token_window.SPEC,
        summary.SPEC,
        summary_window.SPEC,
        clear_tool_results.SPEC,
    )
}
