"""Wire shapes of a conversation's long-term memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.errors import InvalidRequest
from history.facts import fact_resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.conversations import Forgotten, MemoryState
    from chat_core.long_term import IndexStats
    from chat_core.long_term.records import Summary


def memory_resource(state: MemoryState) -> dict[str, Any]:
    """Write what is remembered of a conversation."""
    return {
        "object": "conversation.memory",
        "conversation": state.conversation,
        "status": state.status,
        "covers_up_to": state.covers_up_to,
        "summary": _summary(state.summary),
        "facts": [fact_resource(fact) for fact in state.facts],
        "recall": _recall(state.indexed),
        "skipped": [{"first_id": first, "last_id": last} for first, last in state.skipped],
        "last_error": state.last_error,
    }


def _summary(summary: Summary | None) -> dict[str, Any] | None:
    if summary is None:
        return None
    return {
        "text": summary.text,
        # Of a short text in Latin letters the script is all that is known.
        "language": summary.language if len(summary.language) == 2 else None,
        "tokens": summary.tokens,
        "model": summary.model,
        "created_at": summary.created_at,
    }


def _recall(stats: IndexStats | None) -> dict[str, Any] | None:
    if stats is None:
        return None
    return {"turns": stats.turns, "bytes": stats.bytes, "models": list(stats.models)}


def forgotten_memory(conversation: str) -> dict[str, Any]:
    """Write the receipt of a memory that is forgotten; the history is still there."""
    return {"id": conversation, "object": "conversation.memory.deleted", "deleted": True}


def forgotten_everything(forgotten: Forgotten) -> dict[str, Any]:
    """Write the receipt of all memory that is forgotten; ``complete`` is false while any is left: ask again."""
    return {
        "object": "memory.deleted",
        "deleted": forgotten.complete,
        "complete": forgotten.complete,
        "omoide": {"conversations": forgotten.conversations, "facts": forgotten.facts},
    }


def check_rebuild(body: Mapping[str, Any]) -> None:
    """Make sure that it is to be made again: there is nothing else to ask for.

    Raises
    ------
    InvalidRequest
        Naming the parameter.
    """
    if "rebuild" not in body:
        message = 'Say {"rebuild": true} to have it made again.'
        raise InvalidRequest(message, param="rebuild", code="missing_required_parameter")
    if body["rebuild"] is not True:
        raise InvalidRequest("`rebuild` must be true.", param="rebuild")
    if unknown := body.keys() - {"rebuild"}:
        raise InvalidRequest("There is no such parameter.", param=min(unknown), code="unknown_parameter")
