"""Routes of the history function: parse, one call, a typed answer."""

# Annotations are no strings here (no `from __future__ import annotations`): Powertools reads them at each request.

import os
from functools import cache
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import Request, Response
from aws_lambda_powertools.event_handler.depends import Depends

import chat_core
from chat_core import api, observability
from chat_core.api import check_conversation_id
from chat_core.deadline import Deadline
from chat_core.keys import Address
from chat_core.runtime import import_ahead
from chat_core.settings import HistorySettings
from chat_core.turns import Keyed
from history import facts, memory, responses, schemas
from history.wiring import HistoryParts, make_history

app = api.build_app()

import_ahead(os.environ, "history.shapes", "botocore.session", "momento")


@api.parameterless
@cache
def parts() -> HistoryParts:
    """Make this environment's parts."""
    return make_history(HistorySettings.from_env(os.environ))


@api.parameterless
def deadline() -> Deadline:
    """Tell when Lambda ends this invocation."""
    return Deadline.of(app.lambda_context)


def address_in_path(request: Request, user: Annotated[str, Depends(api.current_user)]) -> Address:
    """Tell which of the user's conversations the path names."""
    # API Gateway hands on the path as it came, percent-encoded.
    conversation = unquote(request.path_parameters["conversation_id"])
    return Address(user, check_conversation_id(conversation, at="conversation_id"))


def item_id_in_path(request: Request) -> str:
    """Read the item's id in the path; what is no id is not found."""
    return unquote(request.path_parameters["item_id"])


def keyed(request: Request, user: Annotated[str, Depends(api.current_user)]) -> Keyed | None:
    """Read the idempotency key, with the fingerprint of what it is used for."""
    key = api.idempotency_key(request, user)
    if key is None:
        return None
    return Keyed(key, api.fingerprint({"path": dict(request.path_parameters), "body": api.json_body_or_empty(request)}))


def response_id_in_path(request: Request) -> str:
    """Read the response's id in the path; what is no id is not found."""
    return unquote(request.path_parameters["response_id"])


def fact_id_in_path(request: Request) -> str:
    """Read the fact's id in the path; what is no id is not found."""
    return unquote(request.path_parameters["fact_id"])


User = Annotated[str, Depends(api.current_user)]
Parts = Annotated[HistoryParts, Depends(parts)]
Once = Annotated[Keyed | None, Depends(keyed)]
TimeLeft = Annotated[Deadline, Depends(deadline)]
Where = Annotated[Address, Depends(address_in_path)]
ItemId = Annotated[str, Depends(item_id_in_path)]
FactId = Annotated[str, Depends(fact_id_in_path)]
ResponseId = Annotated[str, Depends(response_id_in_path)]
Body = Annotated[dict[str, Any], Depends(api.json_body)]


@app.get("/health")
async def get_health() -> Response[str]:
    """Tell that this function runs, and its version; anyone may ask, and nothing behind it is asked."""
    return api.json_response({"version": chat_core.__version__})


@app.post("/v1/conversations")
async def create_conversation(
    user: User, body: Annotated[dict[str, Any], Depends(api.json_body_or_empty)], once: Once, made: Parts
) -> Response[str]:
    """Create a conversation, or fork one."""
    fork = schemas.fork_request(body, user)
    if fork is not None:
        head, replayed = await made.forks.fork(fork, once)
        return api.json_response(schemas.conversation_resource(head), headers=_told(replayed))
    metadata, items = schemas.new_conversation(body)
    memory = schemas.memory_change(body) or {}
    head, replayed = await made.conversations.create(user, metadata=metadata, memory=memory, items=items, keyed=once)
    return api.json_response(schemas.conversation_resource(head), headers=_told(replayed))


@app.get("/v1/conversations")
async def list_conversations(user: User, request: Request, made: Parts) -> Response[str]:
    """List the user's conversations, the last active first."""
    limit, after, order = schemas.page_query(request)
    page = await made.conversations.recent(user, limit=limit, after=after, order=order)
    data = [schemas.conversation_resource(head) for head in page.data]
    return api.json_response(schemas.list_resource(data, has_more=page.has_more))


@app.get("/v1/conversations/<conversation_id>")
async def get_conversation(conversation_id: Where, made: Parts) -> Response[str]:
    """Read a conversation."""
    return api.json_response(schemas.conversation_resource(await made.conversations.get(conversation_id)))


@app.post("/v1/conversations/<conversation_id>")
async def update_conversation(conversation_id: Where, body: Body, once: Once, made: Parts) -> Response[str]:
    """Change a conversation's metadata and memory settings."""
    metadata, memory = schemas.conversation_change(body)
    head, replayed = await made.conversations.update(conversation_id, metadata=metadata, memory=memory, keyed=once)
    return api.json_response(schemas.conversation_resource(head), headers=_told(replayed))


@app.delete("/v1/conversations")
async def delete_conversations(user: User, request: Request, time_left: TimeLeft, made: Parts) -> Response[str]:
    """Erase all of the user's conversations."""
    schemas.check_all(request)
    erased = await made.erasure.everything(user, time_left)
    return api.json_response(schemas.deleted_conversation("all", erased))


@app.delete("/v1/conversations/<conversation_id>")
async def delete_conversation(conversation_id: Where, made: Parts) -> Response[str]:
    """Erase a conversation."""
    erased = await made.erasure.conversation(conversation_id)
    return api.json_response(schemas.deleted_conversation(conversation_id.conversation, erased))


@app.get("/v1/conversations/<conversation_id>/context")
async def get_context(conversation_id: Where, request: Request, made: Parts) -> Response[str]:
    """Tell what a model would see of a conversation, and why."""
    override, model = schemas.context_query(request)
    [context] = await made.conversations.contexts(conversation_id, [override], model=model)
    return api.json_response(context)


@app.post("/v1/conversations/<conversation_id>/context")
async def compare_contexts(conversation_id: Where, body: Body, made: Parts) -> Response[str]:
    """Tell what a model would see of a conversation through each of some settings; nothing is written."""
    overrides, model = schemas.comparison(body)
    contexts = await made.conversations.contexts(conversation_id, overrides, model=model)
    return api.json_response({"object": "list", "data": contexts})


@app.get("/v1/conversations/<conversation_id>/memory")
async def get_memory(conversation_id: Where, parts: Parts) -> Response[str]:
    """Tell what is remembered of a conversation, and how far it reaches."""
    return api.json_response(memory.memory_resource(await parts.memory.get(conversation_id)))


@app.post("/v1/conversations/<conversation_id>/memory")
async def rebuild_memory(conversation_id: Where, body: Body, parts: Parts) -> Response[str]:
    """Have a conversation's memory made again."""
    memory.check_rebuild(body)
    await parts.memory.rebuild(conversation_id)
    return api.json_response(memory.memory_resource(await parts.memory.get(conversation_id)))


@app.delete("/v1/conversations/<conversation_id>/memory")
async def delete_memory(conversation_id: Where, parts: Parts) -> Response[str]:
    """Forget what was made of a conversation; its history stays."""
    await parts.memory.forget(conversation_id)
    return api.json_response(memory.forgotten_memory(conversation_id.conversation))


@app.get("/v1/memory/facts")
async def list_facts(user: User, request: Request, parts: Parts) -> Response[str]:
    """List what is known about the user, the last said first."""
    limit, after, order = schemas.page_query(request)
    page = await parts.facts.page(user, facts.facts_query(request), limit=limit, after=after, order=order)
    data = [facts.fact_resource(fact) for fact in page.data]
    return api.json_response(schemas.list_resource(data, has_more=page.has_more))


@app.get("/v1/memory/facts/<fact_id>")
async def get_fact(user: User, fact_id: FactId, parts: Parts) -> Response[str]:
    """Read a fact."""
    return api.json_response(facts.fact_resource(await parts.facts.get(user, fact_id)))


@app.post("/v1/memory/facts/<fact_id>")
async def correct_fact(user: User, fact_id: FactId, body: Body, parts: Parts) -> Response[str]:
    """Correct a fact: only what is said later supersedes it then."""
    correction, version = facts.fact_change(body)
    fact = await parts.facts.correct(user, fact_id, correction, version=version)
    return api.json_response(facts.fact_resource(fact))


@app.delete("/v1/memory/facts/<fact_id>")
async def delete_fact(user: User, fact_id: FactId, parts: Parts) -> Response[str]:
    """Forget a fact: what was said so far cannot bring it back."""
    await parts.facts.forget(user, fact_id)
    return api.json_response(facts.forgotten_fact(fact_id))


@app.delete("/v1/memory")
async def delete_all_memory(user: User, time_left: TimeLeft, parts: Parts) -> Response[str]:
    """Forget all that was made of the user's conversations; their histories stay."""
    return api.json_response(memory.forgotten_everything(await parts.user_memory.forget(user, time_left)))


@app.get("/v1/conversations/<conversation_id>/items")
async def list_items(conversation_id: Where, request: Request, made: Parts) -> Response[str]:
    """List a conversation's items."""
    limit, after, order = schemas.page_query(request)
    page = await made.conversations.items(conversation_id, limit=limit, after=after, order=order)
    return api.json_response(schemas.item_list(page.data, has_more=page.has_more))


@app.post("/v1/conversations/<conversation_id>/items")
async def create_items(
    conversation_id: Where, body: Body, *, once: Once, time_left: TimeLeft, made: Parts
) -> Response[str]:
    """Append items to a conversation."""
    items = schemas.new_items(body)
    added, replayed = await made.conversations.add_items(conversation_id, items, deadline=time_left, keyed=once)
    return api.json_response(schemas.item_list(added, has_more=False), headers=_told(replayed))


@app.get("/v1/conversations/<conversation_id>/items/<item_id>")
async def get_item(conversation_id: Where, item_id: ItemId, made: Parts) -> Response[str]:
    """Read an item."""
    stored = await made.conversations.item(conversation_id, item_id)
    return api.json_response(schemas.item_resource(stored))


@app.delete("/v1/conversations/<conversation_id>/items/<item_id>")
async def delete_item(conversation_id: Where, item_id: ItemId, made: Parts) -> Response[str]:
    """Delete an item; OpenAI answers with the conversation."""
    head = await made.erasure.item(conversation_id, item_id)
    return api.json_response(schemas.without_item(head))


@app.get("/v1/responses/<response_id>")
async def get_response(user: User, response_id: ResponseId, request: Request, made: Parts) -> Response[Any]:
    """Read a stored response, or replay it as a stream."""
    stream, after = responses.replay_query(request)
    answer = await made.responses.answer(user, response_id)
    if stream:
        return api.event_stream(responses.replayed(answer, after=after))
    responses.check_size(api.to_json(answer))
    return api.json_response(answer)


@app.delete("/v1/responses/<response_id>")
async def delete_response(user: User, response_id: ResponseId, made: Parts) -> Response[str]:
    """Delete a stored response."""
    await made.responses.delete(user, response_id)
    return api.json_response(responses.deleted_response(response_id))


@app.get("/v1/responses/<response_id>/input_items")
async def list_input_items(user: User, response_id: ResponseId, request: Request, made: Parts) -> Response[str]:
    """List what was sent for a stored response."""
    limit, after, order = schemas.page_query(request)
    page = await made.responses.input_items(user, response_id, limit=limit, after=after, order=order)
    return api.json_response(schemas.item_list(page.data, has_more=page.has_more))


def _told(replayed: bool) -> dict[str, str]:
    return {"Idempotent-Replayed": "true"} if replayed else {}


@observability.metrics().log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway REST proxy event."""
    return api.answer(app, event, context)
