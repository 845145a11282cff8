"""``POST /v1/embeddings``: what is checked before anything is read or paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.api import check_provider_references, check_unsendable, header, parse
from chat_core.cache import ModelCall, parse_cache_control
from chat_core.errors import InvalidRequest
from chat_core.model import check_model

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Request

    from chat_core.settings import ChatSettings

INPUTS_LIMIT = 2048
"""OpenAI's, of a batch and of a list of tokens."""


def embeddings_call(request: Request, user: str, body: dict[str, Any], settings: ChatSettings) -> ModelCall:
    """Read and check a request to ``POST /v1/embeddings``.

    Raises
    ------
    InvalidRequest
        With the parameter that is wrong.
    """
    from chat.shapes.embeddings import EmbeddingsRequest

    wire = parse(EmbeddingsRequest, body)
    check_unsendable(body, ours=("conversation", "memory", "omoide"))
    _check_input(wire.input)
    check_model(wire.model, settings.allowed_models)
    if not settings.allow_provider_references:
        check_provider_references(body)
    return ModelCall(user, body, parse_cache_control(header(request, "cache-control")), "embeddings")


def _check_input(given: str | list[Any]) -> None:
    """Check that the input is a text, tokens, or a list of either: not empty, not too long, not mixed."""
    if isinstance(given, str):
        if not given:
            raise InvalidRequest("The input is empty.", param="input", code="empty_string")
        return
    _check_length(given, "input")
    if _is_token(given[0]):
        _check_tokens(given, "input")
        return
    texts = isinstance(given[0], str)
    for place, one in enumerate(given):
        path = f"input[{place}]"
        if isinstance(one, str) and texts:
            if not one:
                raise InvalidRequest("An input is empty.", param=path, code="empty_string")
        elif isinstance(one, list) and not texts:
            _check_length(one, path)
            _check_tokens(one, path)
        else:
            raise _mixed("input", place)


def _check_length(values: list[Any], path: str) -> None:
    if not values:
        raise InvalidRequest("The input is empty.", param=path, code="empty_array")
    if len(values) > INPUTS_LIMIT:
        message = f"At most {INPUTS_LIMIT:,} elements go in one call."
        raise InvalidRequest(message, param=path, code="array_above_max_length")


def _check_tokens(values: list[Any], path: str) -> None:
    for place, token in enumerate(values):
        if not _is_token(token):
            raise _mixed(path, place)


def _is_token(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _mixed(path: str, place: int) -> InvalidRequest:
    return InvalidRequest(
        "The input must be a text, a list of tokens, or a list of either kind alone.",
        param=f"{path}[{place}]",
        code="invalid_type",
    )
