"""``POST /v1/responses/input_tokens``: what the same request to ``POST /v1/responses`` would send the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chat.responses import responses_call
from chat_core.messages import Message, from_items
from chat_core.tokens import REQUEST_TOKENS, counter_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Request

    from chat.responses import ResponsesCall
    from chat_core.settings import ChatSettings

_NO_INPUT = "-"


def count_call(request: Request, user: str, body: dict[str, Any], settings: ChatSettings) -> ResponsesCall:
    """Read and check a request as ``POST /v1/responses`` does; a turn is made the dry run of one.

    Unlike there the input may be left out: then what is there without it is counted.

    Raises
    ------
    InvalidRequest, RequestTooLarge
        With the parameter that is wrong.
    """
    given = body.get("input") is not None
    call = responses_call(request, user, body if given else {**body, "input": _NO_INPUT}, settings)
    if call.turn is None:
        return call if given else replace(call, body={**call.body, "input": []})
    turn = replace(call.turn, memory={**(call.turn.memory or {}), "dry_run": True})
    return replace(call, turn=turn if given else replace(turn, input=()))


def stateless_tokens(body: Mapping[str, Any]) -> int:
    """Count a request that belongs to no conversation, as a turn's view is counted."""
    counter, given = counter_for(body["model"]), body["input"]
    instructions = [Message("system", content=body["instructions"])] if body.get("instructions") else []
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    messages = [*instructions, *from_items(items)]
    return REQUEST_TOKENS + sum(map(counter.message, messages)) + counter.tools(body.get("tools") or ())


def token_counts(tokens: int) -> dict[str, Any]:
    """Write OpenAI's answer."""
    return {"object": "response.input_tokens", "input_tokens": tokens}
