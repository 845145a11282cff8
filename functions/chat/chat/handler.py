"""Routes of the chat function: parse, one call, a typed answer."""

from __future__ import annotations

import os
from functools import cache, partial
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Request, Response
from aws_lambda_powertools.event_handler.depends import Depends

from chat.completions import completion_stream, completions_call
from chat.embeddings import embeddings_call
from chat.responses import ResponsesCall, responses_call
from chat.wiring import make_cache_access, make_embeddings, make_model, make_replies, make_turn_service
from chat_core import api, observability
from chat_core.api.streams import ResponseStream
from chat_core.cache import CacheAccess, Completed, Embeddings, ModelCall, Replies, stateless
from chat_core.deadline import Deadline
from chat_core.model import ChatModel
from chat_core.runtime import Send
from chat_core.settings import ChatSettings
from chat_core.turns import TurnRequest, TurnService, fold
from chat_core.wiring import Stores, make_stores

app = api.build_app()


@cache
def settings() -> ChatSettings:
    """Read this environment's settings."""
    return ChatSettings.from_env(os.environ)


@cache
def stores() -> Stores:
    """Make this environment's stores."""
    return make_stores(settings().history)


@cache
def model() -> ChatModel:
    """Make this environment's connection to the model's provider."""
    return make_model(settings())


@cache
def cache_access() -> CacheAccess:
    """Make this environment's way to the response cache."""
    return make_cache_access(settings(), stores())


@cache
def replies() -> Replies:
    """Make this environment's way to the model, through the response cache."""
    return make_replies(settings(), cache_access(), model())


@cache
def embeddings() -> Embeddings:
    """Make this environment's way to the model's embeddings, through the cache."""
    return make_embeddings(settings(), cache_access(), model())


@cache
def turn_service() -> TurnService:
    """Make this environment's turn service."""
    return make_turn_service(settings(), stores(), replies())


def deadline() -> Deadline:
    """Tell when Lambda ends this invocation."""
    return Deadline.after(app.lambda_context.get_remaining_time_in_millis() / 1000)


def call(
    request: Request,
    user: Annotated[str, Depends(api.current_user)],
    body: Annotated[dict[str, Any], Depends(api.json_body)],
    config: Annotated[ChatSettings, Depends(settings)],
) -> ResponsesCall:
    """Read and check the request of a response."""
    return responses_call(request, user, body, config)


@app.post("/v1/responses")
async def create_response(
    call: Annotated[ResponsesCall, Depends(call)],
    time_left: Annotated[Deadline, Depends(deadline)],
    turns: Annotated[TurnService, Depends(turn_service)],
    replies: Annotated[Replies, Depends(replies)],
) -> Response[Any]:
    """Answer one turn of a conversation, or a stateless call where no conversation is named; as a stream if asked."""
    form = ResponseStream() if call.stream else None
    if call.turn is None:
        asked = ModelCall(call.user, call.body, call.directives)
        return await api.answer_in_form(partial(stateless.respond, replies, asked, time_left), form)
    return await api.answer_in_form(partial(_turn, turns, call.turn, time_left), form)


async def _turn(turns: TurnService, turn: TurnRequest, time_left: Deadline, _: object = None) -> Completed:
    completed = await fold(turns.run(turn, time_left))
    return Completed(completed.answer, completed.headers)


def completion(
    request: Request,
    user: Annotated[str, Depends(api.current_user)],
    body: Annotated[dict[str, Any], Depends(api.json_body)],
    config: Annotated[ChatSettings, Depends(settings)],
) -> ModelCall:
    """Read and check the request of a chat completion."""
    return completions_call(request, user, body, config)


@app.post("/v1/chat/completions")
async def create_chat_completion(
    call: Annotated[ModelCall, Depends(completion)],
    time_left: Annotated[Deadline, Depends(deadline)],
    replies: Annotated[Replies, Depends(replies)],
) -> Response[Any]:
    """Answer a chat completion; as a stream if asked."""
    form = completion_stream(call.body) if call.body.get("stream") else None
    return await api.answer_in_form(partial(stateless.respond, replies, call, time_left), form)


def embedding(
    request: Request,
    user: Annotated[str, Depends(api.current_user)],
    body: Annotated[dict[str, Any], Depends(api.json_body)],
    config: Annotated[ChatSettings, Depends(settings)],
) -> ModelCall:
    """Read and check the request of embeddings."""
    return embeddings_call(request, user, body, config)


@app.post("/v1/embeddings")
async def create_embeddings(
    call: Annotated[ModelCall, Depends(embedding)],
    time_left: Annotated[Deadline, Depends(deadline)],
    embeddings: Annotated[Embeddings, Depends(embeddings)],
) -> Response[str]:
    """Answer the embeddings of one input or of many."""
    completed = await stateless.embed(embeddings, call, time_left)
    return api.json_response(completed.answer, headers=completed.headers)


@observability.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway REST proxy event whole: for tests, `sam local invoke` and Lambda's own runtime loop."""
    return api.answer(app, event, context)


@observability.metrics().log_metrics(capture_cold_start_metric=True)
def streaming_handler(event: dict[str, Any], context: Any, send: Send) -> None:
    """Answer one API Gateway REST proxy event as the answer comes: what Lambda runs, through `chat_core.runtime`."""
    api.stream(app, event, context, send)
