"""``POST /v1/responses``: what is checked before anything is read, written or paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat.echoes import check_echoes
from chat_core.api import (
    check_conversation_id,
    check_items,
    check_provider_references,
    check_unsendable,
    fingerprint,
    header,
    idempotency_key,
    parse,
    retry_count,
)
from chat_core.cache import Directives, parse_cache_control
from chat_core.errors import InvalidRequest
from chat_core.keys import Address, parse_response_id, unnamed_address
from chat_core.model import check_model
from chat_core.turns import Keyed, TurnRequest, is_reference, previous_not_found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Request

    from chat.shapes.responses import ResponsesRequest
    from chat_core.settings import ChatSettings


@dataclass(frozen=True, slots=True)
class ResponsesCall:
    """A checked request: a turn of a conversation, or a stateless call.

    Parameters
    ----------
    user
        Whose request it is.
    body
        The effective request as it goes to the model; of a turn without its input.
    directives
        The request's ``Cache-Control``.
    turn
        What makes it a turn; None for a stateless call.
    stream
        Whether it is answered as server-sent events.
    store
        Whether its answer may be read later.
    """

    user: str
    body: dict[str, Any]
    directives: Directives
    turn: TurnRequest | None
    stream: bool = False
    store: bool = True


# Not yet: each is refused by name rather than ignored.
_NOT_YET = {
    "background": "Background responses are not supported yet; leave `background` out or false.",
}
_OURS = ("input", "conversation", "previous_response_id", "memory", "stream")


def responses_call(request: Request, user: str, body: dict[str, Any], settings: ChatSettings) -> ResponsesCall:
    """Read and check a request to ``POST /v1/responses``.

    Raises
    ------
    InvalidRequest, RequestTooLarge
        With the parameter that is wrong.
    """
    from chat.shapes.responses import ResponsesRequest

    wire = parse(ResponsesRequest, body)
    for name, sentence in _NOT_YET.items():
        if body.get(name):
            raise InvalidRequest(sentence, param=name, code="unsupported_parameter")
    check_unsendable(body)
    if isinstance(wire.input, str):
        if not wire.input:
            raise InvalidRequest("The input is empty.", param="input", code="empty_string")
    else:
        body = {**body, "input": check_items(body["input"], at="input")}
    model = wire.model or settings.openai.model
    check_model(model, settings.allowed_models)
    if not settings.allow_provider_references:
        check_provider_references(body, understood=_own_references(body))
    effective = {name: value for name, value in body.items() if name not in _OURS}
    effective |= {"model": model, "store": False}
    directives = parse_cache_control(header(request, "cache-control"))
    address = _address(wire, user)
    if address is None:
        if wire.memory is not None:
            message = "`memory` needs a `conversation` or a `previous_response_id`."
            raise InvalidRequest(message, param="memory", code="invalid_value")
        given = body["input"] if settings.allow_provider_references else without_ids(body["input"])
        body = {**effective, "input": given}
        return ResponsesCall(user, body, directives, None, wire.stream is True, wire.store is not False)
    key, asked = idempotency_key(request, user), fingerprint(body)
    check_echoes(effective)
    turn = TurnRequest(
        address=address,
        body=effective,
        input=tuple(as_items(body["input"])),
        memory=wire.memory,
        directives=directives,
        fingerprint=asked,
        keyed=Keyed(key, asked) if key else None,
        retry_count=retry_count(request),
        previous=wire.previous_response_id,
        store=wire.store is not False,
    )
    return ResponsesCall(user, effective, directives, turn, wire.stream is True, turn.store)


def _address(wire: ResponsesRequest, user: str) -> Address | None:
    """Tell which conversation a turn is of; of one that goes on from a response, as far as its id tells."""
    conversation, previous = _conversation(wire.conversation), wire.previous_response_id
    if previous is None:
        return Address(user, conversation) if conversation is not None else None
    if conversation is not None:
        message = "Give either `previous_response_id` or `conversation`, not both."
        raise InvalidRequest(message, param="previous_response_id", code="mutually_exclusive_parameters")
    parsed = parse_response_id(previous)
    if parsed is None:
        raise previous_not_found()
    return unnamed_address(user, parsed[0])


def _conversation(value: str | dict[str, Any] | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return check_conversation_id(value, at="conversation")
    if "id" not in value:
        raise InvalidRequest("This parameter is required.", param="conversation.id", code="missing_required_parameter")
    return check_conversation_id(value["id"], at="conversation.id")


def _own_references(body: Mapping[str, Any]) -> list[str]:
    """List the paths of references to items of this service's; whether they are the user's own is looked up later."""
    if isinstance(body["input"], str):
        return []
    return [f"input[{place}]" for place, item in enumerate(body["input"]) if is_reference(item)]


def without_ids(given: str | list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Leave out ids, which may name objects of the one account; each item says itself what it is.

    References to items of this service's stay: they are replaced before anything goes upstream.
    """
    if isinstance(given, str):
        return given
    return [item if is_reference(item) else {name: item[name] for name in item if name != "id"} for item in given]


def as_items(given: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give an input as items."""
    return [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
