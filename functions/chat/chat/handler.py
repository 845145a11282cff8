"""Routes of the chat function: parse, one call, a typed answer."""

# Annotations are no strings here (no `from __future__ import annotations`): Powertools reads them at each request.

import os
from collections.abc import Callable
from functools import cache, partial
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Request, Response
from aws_lambda_powertools.event_handler.depends import Depends

from chat.compaction import NOT_CACHED, Compaction, compact_call, whole_body
from chat.completions import completion_stream, completions_call
from chat.counting import count_call, stateless_tokens, token_counts
from chat.embeddings import embeddings_call
from chat.responses import ResponsesCall, responses_call
from chat.wiring import ChatParts, make_chat
from chat_core import api, observability
from chat_core.api.streams import ResponseStream
from chat_core.cache import ModelCall, stateless
from chat_core.deadline import Deadline
from chat_core.runtime import Send, import_ahead, import_beside
from chat_core.settings import ChatSettings
from chat_core.timing import timed

app = api.build_app()

import_ahead(os.environ, "chat.shapes.responses", "botocore.session", "momento", "httpx2")


@api.parameterless
@cache
def parts() -> ChatParts:
    """Make this environment's parts."""
    import_beside("httpx2")  # while the stores are asked for the first time
    return make_chat(ChatSettings.from_env(os.environ))


@api.parameterless
def deadline() -> Deadline:
    """Tell when Lambda ends this invocation."""
    return Deadline.of(app.lambda_context)


def model_in_path(request: Request) -> str:
    """Read the model's name in the path."""
    return unquote(request.path_parameters["model"])


User = Annotated[str, Depends(api.current_user)]
ModelName = Annotated[str, Depends(model_in_path)]
Parts = Annotated[ChatParts, Depends(parts)]
TimeLeft = Annotated[Deadline, Depends(deadline)]
T = TypeVar("T")


def reads(read: Callable[[Request, str, dict[str, Any], ChatSettings], T]) -> Callable[..., T]:
    """Make the dependency that reads and checks a request."""

    def checked(request: Request, made: Parts) -> T:
        return read(request, api.current_user(request), api.json_body(request), made.settings)

    return checked


@app.post("/v1/responses")
async def create_response(
    call: Annotated[ResponsesCall, Depends(reads(responses_call))], made: Parts, time_left: TimeLeft
) -> Response[Any]:
    """Answer one turn of a conversation, or a stateless call where no conversation is named; as a stream if asked."""
    form = ResponseStream() if call.stream else None
    if call.turn is None:
        asked = ModelCall(call.user, call.body, call.directives)
        return await api.answer_in_form(partial(made.calls.run, asked, time_left, store=call.store), form)
    return await api.answer_in_form(partial(made.turns.run, call.turn, time_left), form)


@app.post("/v1/chat/completions")
async def create_chat_completion(
    call: Annotated[ModelCall, Depends(reads(completions_call))], made: Parts, time_left: TimeLeft
) -> Response[Any]:
    """Answer a chat completion; as a stream if asked."""
    form = completion_stream(call.body) if call.body.get("stream") else None
    return await api.answer_in_form(partial(stateless.respond, made.replies, call, time_left), form)


@app.post("/v1/embeddings")
async def create_embeddings(
    call: Annotated[ModelCall, Depends(reads(embeddings_call))], made: Parts, time_left: TimeLeft
) -> Response[str]:
    """Answer the embeddings of one input or of many."""
    completed = await stateless.embed(made.embeddings, call, time_left)
    return api.json_response(completed.answer, headers=completed.headers)


@app.post("/v1/responses/input_tokens")
async def count_input_tokens(
    call: Annotated[ResponsesCall, Depends(reads(count_call))], made: Parts, time_left: TimeLeft
) -> Response[str]:
    """Count what a response would be made from; nothing is written, and no reply is paid for."""
    if call.turn is None:
        asked = await made.calls.dereferenced(ModelCall(call.user, call.body, call.directives), time_left)
        return api.json_response(token_counts(stateless_tokens(asked.body)))
    context = (await made.turns.run(call.turn, time_left)).answer
    return api.json_response(token_counts(context["tokens"]["total"]))


@app.post("/v1/responses/compact")
async def compact_response(
    call: Annotated[Compaction, Depends(reads(compact_call))], made: Parts, time_left: TimeLeft
) -> Response[str]:
    """Have the provider compact a conversation."""
    body = await whole_body(call, made.turns, time_left)
    with timed("model"):
        compacted = await made.model.compact(body, timeout=time_left.remaining(reserve=stateless.ANSWER_RESERVE))
    return api.json_response(compacted, headers=NOT_CACHED)


@app.get("/v1/models")
async def list_models(_user: User, made: Parts, time_left: TimeLeft) -> Response[str]:
    """List the models that may be named."""
    data = await made.models.all(timeout=time_left.remaining(reserve=stateless.ANSWER_RESERVE))
    return api.json_response({"object": "list", "data": data})


@app.get("/v1/models/<model>")
async def get_model(model: ModelName, _user: User, made: Parts, time_left: TimeLeft) -> Response[str]:
    """Tell of a model."""
    return api.json_response(
        await made.models.get(model, timeout=time_left.remaining(reserve=stateless.ANSWER_RESERVE))
    )


@observability.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway REST proxy event whole: for tests, `sam local invoke` and Lambda's own runtime loop."""
    return api.answer(app, event, context)


@observability.metrics().log_metrics(capture_cold_start_metric=True)
def streaming_handler(event: dict[str, Any], context: Any, send: Send) -> None:
    """Answer one API Gateway REST proxy event as the answer comes: what Lambda runs, through `chat_core.runtime`."""
    api.stream(app, event, context, send)
