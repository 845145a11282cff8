"""``POST /v1/responses/compact``: what is checked before the provider compacts a conversation; we keep nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from chat.responses import without_ids
from chat_core.api import Wire, check_items, check_provider_references, check_unsendable, parse
from chat_core.errors import InvalidRequest
from chat_core.model import check_model

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Request

    from chat_core.settings import ChatSettings

NOT_CACHED = {"X-Cache": "BYPASS", "Cache-Status": "omoide; fwd=bypass"}


class CompactRequest(Wire):
    """The members with a rule of OpenAI's or ours; all others go through untouched."""

    model: Annotated[str, Field(min_length=1)]
    input: str | list[Any] | None = None
    previous_response_id: str | None = None
    instructions: str | None = None
    prompt_cache_key: str | None = None


def compact_call(_request: Request, _user: str, body: dict[str, Any], settings: ChatSettings) -> dict[str, Any]:
    """Read and check a request to ``POST /v1/responses/compact``, and give what goes to the provider.

    Raises
    ------
    InvalidRequest
        With the parameter that is wrong.
    """
    wire = parse(CompactRequest, body)
    check_unsendable(body, ours=("conversation", "memory", "omoide", "stream"))
    if wire.previous_response_id is not None:
        message = "`previous_response_id` is not supported here; send the items as `input`."
        raise InvalidRequest(message, param="previous_response_id", code="unsupported_parameter")
    if wire.input is None:
        raise InvalidRequest("This parameter is required.", param="input", code="missing_required_parameter")
    if wire.input == "":
        raise InvalidRequest("The input is empty.", param="input", code="empty_string")
    if not isinstance(wire.input, str):
        check_items(body["input"], at="input")
    check_model(wire.model, settings.allowed_models)
    if settings.allow_provider_references:
        return body
    check_provider_references(body)
    return {**body, "input": without_ids(body["input"])}
