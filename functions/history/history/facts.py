"""What is remembered on the wire: facts as resources, and what may be said of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

from chat_core.api import parse
from chat_core.errors import InvalidRequest
from chat_core.long_term.facts.records import Status
from chat_core.long_term.facts.words import one_line, valid_date
from chat_core.long_term.remembered import Correction, Wanted, version_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Request

    from chat_core.long_term.facts import Fact


def facts_query(request: Request) -> Wanted:
    """Read which facts a list is to show.

    Raises
    ------
    InvalidRequest
        If ``status`` is none that a fact can have.
    """
    query = request.query_parameters or {}
    status = query.get("status")
    if status is not None and status not in get_args(Status):
        message = f"`status` must be one of {', '.join(get_args(Status))}."
        raise InvalidRequest(message, param="status")
    return Wanted(query.get("subject"), cast("Status | None", status))


def fact_change(body: Mapping[str, Any]) -> tuple[Correction, int]:
    """Read what is said of a fact, and which version of it was seen.

    Raises
    ------
    InvalidRequest
        With the parameter that is wrong.
    """
    from history.shapes import FactChange

    wire = parse(FactChange, body)
    unknown = body.keys() - FactChange.model_fields.keys()
    if unknown:
        raise InvalidRequest("There is no such parameter.", param=min(unknown), code="unknown_parameter")
    if wire.object_value is None and wire.valid_to is None and wire.pinned is None:
        message = "Say what to change: `object_value`, `valid_to` or `pinned`."
        raise InvalidRequest(message, param="object_value", code="missing_required_parameter")
    if wire.object_value is not None and not one_line(wire.object_value):
        raise InvalidRequest("This text may not be empty.", param="object_value", code="empty_string")
    if wire.valid_to is not None and valid_date(wire.valid_to) is None:
        raise InvalidRequest("`valid_to` must be a date such as 2026-05-01, or its beginning.", param="valid_to")
    words = None if wire.object_value is None else one_line(wire.object_value)
    return Correction(words, valid_date(wire.valid_to), wire.pinned), wire.version


def fact_resource(fact: Fact) -> dict[str, Any]:
    """Write a fact; ``object`` is OpenAI's name of a resource's type, hence ``object_value``."""
    first, newest = fact.said[0], fact.newest
    said_by = {evidence.said_by for one in fact.said for evidence in one.evidence}
    return {
        "id": fact.id,
        "object": "memory.fact",
        "subject": newest.subject,
        "predicate": newest.predicate,
        "object_value": newest.object,
        "kind": newest.kind,
        "status": fact.status,
        "valid_from": fact.valid_from,
        "valid_to": fact.valid_to,
        "recorded_at": first.recorded_at,
        "superseded_by": fact.superseded_by,
        "said_by": "assistant" if said_by == {"assistant"} else "user",
        "pinned": fact.pinned,
        "conversation": first.conversation,
        "item_ids": list(fact.item_ids),
        "version": version_of(fact),
    }


def forgotten_fact(fact_id: str) -> dict[str, Any]:
    """Write the receipt of a fact that is forgotten."""
    return {"id": fact_id, "object": "memory.fact.deleted", "deleted": True}
