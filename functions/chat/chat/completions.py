"""``POST /v1/chat/completions``: what is checked before anything is read or paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.api import check_provider_references, check_unsendable, header, parse
from chat_core.api.streams import CompletionStream
from chat_core.cache import ModelCall, parse_cache_control
from chat_core.errors import InvalidRequest
from chat_core.model import check_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import Request

    from chat_core.settings import ChatSettings


_REMEMBERING = ("conversation", "memory", "previous_response_id")


def completions_call(request: Request, user: str, body: dict[str, Any], settings: ChatSettings) -> ModelCall:
    """Read and check a request to ``POST /v1/chat/completions``.

    Raises
    ------
    InvalidRequest
        With the parameter that is wrong.
    """
    from chat.shapes.completions import CompletionsRequest

    wire = parse(CompletionsRequest, body)
    for name in _REMEMBERING:
        if body.get(name) is not None:
            message = f"Chat completions remember nothing: `{name}` belongs to POST /v1/responses."
            raise InvalidRequest(message, param=name, code="unsupported_parameter")
    check_unsendable(body)
    model = wire.model or settings.openai.model
    check_model(model, settings.allowed_models)
    if not settings.allow_provider_references:
        check_provider_references(body)
    return ModelCall(
        user,
        {**body, "model": model, "store": False},
        parse_cache_control(header(request, "cache-control")),
        "chat/completions",
    )


def completion_stream(body: Mapping[str, Any]) -> CompletionStream:
    """Make the form of the stream that a request asks for."""
    return CompletionStream(include_usage=(body.get("stream_options") or {}).get("include_usage") is True)
