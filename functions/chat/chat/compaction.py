"""``POST /v1/responses/compact``: what is checked before the provider compacts a conversation; we keep nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from chat.responses import as_items, without_ids
from chat_core.api import check_items, check_provider_references, check_unsendable, parse
from chat_core.errors import InvalidRequest
from chat_core.model import check_model

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Request

    from chat_core.deadline import Deadline
    from chat_core.settings import ChatSettings
    from chat_core.turns import TurnService

NOT_CACHED = {"X-Cache": "BYPASS", "Cache-Status": "omoide; fwd=bypass"}


class Compaction(NamedTuple):
    """A checked request.

    Parameters
    ----------
    user
        Whose it is.
    body
        What goes to the provider, but for what came before.
    previous
        The stored response up to which everything is compacted, before the ``input``; None for that alone.
    """

    user: str
    body: dict[str, Any]
    previous: str | None


def compact_call(_request: Request, user: str, body: dict[str, Any], settings: ChatSettings) -> Compaction:
    """Read and check a request to ``POST /v1/responses/compact``.

    Raises
    ------
    InvalidRequest
        With the parameter that is wrong.
    """
    from chat.shapes.compaction import CompactRequest

    wire = parse(CompactRequest, body)
    check_unsendable(body, ours=("conversation", "memory", "omoide", "stream"))
    if wire.input is None and wire.previous_response_id is None:
        raise InvalidRequest("This parameter is required.", param="input", code="missing_required_parameter")
    if wire.input == "":
        raise InvalidRequest("The input is empty.", param="input", code="empty_string")
    if isinstance(wire.input, list):
        body = {**body, "input": check_items(body["input"], at="input")}
    check_model(wire.model, settings.allowed_models)
    sent = {name: value for name, value in body.items() if name != "previous_response_id"}
    if not settings.allow_provider_references:
        check_provider_references(sent)
        sent = {**sent, "input": without_ids(sent["input"])} if wire.input is not None else sent
    return Compaction(user, sent, wire.previous_response_id)


async def whole_body(call: Compaction, turns: TurnService, time_left: Deadline) -> dict[str, Any]:
    """Give what goes to the provider: with what came before, where a response is named.

    Raises
    ------
    InvalidRequest
        If there is no such response, or too much before it.
    """
    if call.previous is None:
        return call.body
    before = await turns.up_to(call.user, call.previous, time_left)
    return {**call.body, "input": [*before, *as_items(call.body.get("input") or [])]}
