"""The events of a tool call: what it is called with, piece by piece, and how far the provider is with its own tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.api.streams.deltas import delta_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Of each kind of item: the member that comes in deltas, and its events' name.
_INPUTS = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
    "mcp_call": ("arguments", "response.mcp_call_arguments"),
    "code_interpreter_call": ("code", "response.code_interpreter_call_code"),
}
# Of each tool that the provider runs: the stages before its input is whole, and after.
_STAGES = {
    "web_search_call": (("in_progress", "searching"), ()),
    "file_search_call": (("in_progress", "searching"), ()),
    "code_interpreter_call": (("in_progress",), ("interpreting",)),
    "image_generation_call": (("in_progress", "generating"), ()),
    "mcp_call": (("in_progress",), ()),
    "mcp_list_tools": (("in_progress",), ()),
}
_CAN_FAIL = frozenset({"mcp_call", "mcp_list_tools"})


def tool_events(item: Mapping[str, Any], where: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what comes between a tool call's announcement and its end; nothing for an item of any other kind.

    Parameters
    ----------
    item
        An output item of the Responses API.
    where
        Its ``item_id`` and ``output_index``.
    """
    kind = str(item.get("type"))
    before, after = _STAGES.get(kind, ((), ()))
    for stage in before:
        yield {"type": f"response.{kind}.{stage}", **where}
    if kind in _INPUTS:
        member, name = _INPUTS[kind]
        called = {"name": item.get("name")} if kind == "function_call" else {}
        yield from delta_events(name, member, item.get(member) or "", where, **called)
    for stage in (*after, *_outcome(kind, item)):
        yield {"type": f"response.{kind}.{stage}", **where}


def _outcome(kind: str, item: Mapping[str, Any]) -> tuple[str, ...]:
    if kind not in _STAGES:
        return ()
    if item.get("error") or item.get("status") == "failed":
        return ("failed",) if kind in _CAN_FAIL else ()
    return ("completed",) if item.get("status") in (None, "completed") else ()
