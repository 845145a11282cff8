"""Wire shapes of the history function: what it reads, and OpenAI's resources that it answers with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from chat_core.api import ITEMS_LIMIT, check_conversation_id, check_items, check_metadata
from chat_core.conversations import ForkRequest
from chat_core.errors import InvalidRequest
from chat_core.keys import Address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aws_lambda_powertools.event_handler import Request

    from chat_core.conversations import Erased
    from chat_core.history import Head, Order, StoredItem

PAGE_LIMIT = 100
PAGE_DEFAULT = 20
MOMENTO_SECONDS = 86_400
"""Nothing stays longer in Momento."""

RECOVERY_SECONDS = 35 * 86_400
"""So far back the table can be restored (template.yaml); nothing but an operator who does so can read it."""


def page_query(request: Request) -> tuple[int, str | None, Order]:
    """Read ``limit``, ``after`` and ``order`` of a list request.

    Raises
    ------
    InvalidRequest
        If one of them is not as OpenAI's lists have it.
    """
    query = request.query_parameters or {}
    limit = query.get("limit", str(PAGE_DEFAULT))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= PAGE_LIMIT):
        message = f"`limit` must be a whole number from 1 to {PAGE_LIMIT}."
        raise InvalidRequest(message, param="limit")
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise InvalidRequest("`order` must be asc or desc.", param="order")
    after = query.get("after")
    if after is not None and not after:
        raise InvalidRequest("`after` is empty.", param="after", code="empty_string")
    return int(limit), after, cast("Order", order)


def new_conversation(body: Mapping[str, Any]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Read the metadata and the first items of a conversation to be created."""
    items = body.get("items")
    return check_metadata(body.get("metadata")), check_items(items, at="items", limit=ITEMS_LIMIT) if items else []


def fork_request(body: Mapping[str, Any], user: str) -> ForkRequest | None:
    """Read what a conversation to be created is a fork of; None for one that begins anew.

    Raises
    ------
    InvalidRequest
        With the parameter that is wrong.
    """
    own = body.get("omoide")
    if own is None:
        return None
    fork = _members(own, "omoide", {"fork"}).get("fork")
    if fork is None:
        return None
    named = _members(fork, "omoide.fork", {"conversation", "after"})
    if "conversation" not in named:
        message = "This parameter is required."
        raise InvalidRequest(message, param="omoide.fork.conversation", code="missing_required_parameter")
    conversation = check_conversation_id(named["conversation"], at="omoide.fork.conversation")
    after = named.get("after")
    if after is not None and not isinstance(after, str):
        raise InvalidRequest("An item's id must be a text.", param="omoide.fork.after", code="invalid_type")
    if body.get("items"):
        raise InvalidRequest("A fork begins with the items of its origin: append further ones to it.", param="items")
    metadata = check_metadata(body["metadata"]) if body.get("metadata") is not None else None
    return ForkRequest(Address(user, conversation), after, metadata, memory_change(body))


def _members(value: object, at: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequest("This must be an object.", param=at, code="invalid_type")
    if unknown := value.keys() - known:
        raise InvalidRequest("There is no such parameter.", param=f"{at}.{min(unknown)}", code="unknown_parameter")
    return value


def new_items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read the items to be appended."""
    if "items" not in body:
        raise InvalidRequest("This parameter is required.", param="items", code="missing_required_parameter")
    return check_items(body["items"], at="items", limit=ITEMS_LIMIT)


class ConversationReport(TypedDict):
    """``omoide`` of a conversation: its title, how many items, messages and turns it has, and its last activity."""

    title: str
    items: int
    messages: int
    turns: int
    last_active_at: int


class ConversationResource(TypedDict):
    """A conversation as OpenAI has it, with our members ``memory`` (its stored settings) and ``omoide``."""

    id: str
    object: Literal["conversation"]
    created_at: int
    metadata: dict[str, str]
    memory: dict[str, Any] | None
    omoide: ConversationReport


def conversation_resource(head: Head) -> ConversationResource:
    """Write a conversation as OpenAI does, with our member ``omoide``."""
    return {
        "id": head.conversation,
        "object": "conversation",
        "created_at": head.created_at,
        "metadata": dict(head.metadata),
        "memory": dict(head.memory) or None,
        "omoide": {
            "title": head.metadata.get("title") or head.title,
            "items": head.items,
            "messages": head.messages,
            "turns": head.turns,
            "last_active_at": int(head.updated_at),
        },
    }


class ItemReport(TypedDict):
    """``omoide`` of an item: the turn that brought it, and when (seconds since the epoch)."""

    turn_id: str
    created_at: int


def item_resource(stored: StoredItem) -> dict[str, Any]:
    """Write an item as it is stored, with our member ``omoide``."""
    report: ItemReport = {"turn_id": stored.turn_id, "created_at": stored.created_at}
    return {**stored.item, "omoide": report}


def item_list(items: Sequence[StoredItem], *, has_more: bool) -> dict[str, Any]:
    """Write a page of items."""
    return list_resource([item_resource(stored) for stored in items], has_more=has_more)


def check_all(request: Request) -> None:
    """Make sure that all conversations are meant.

    Raises
    ------
    InvalidRequest
        Unless ``all`` is ``true``.
    """
    query = request.query_parameters or {}
    if "all" not in query:
        message = "To erase all of your conversations, say all=true."
        raise InvalidRequest(message, param="all", code="missing_required_parameter")
    if query["all"] != "true":
        raise InvalidRequest("`all` must be true.", param="all")


def may_remain(copies: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Tell what stays where of that which was erased, and for how long at most.

    Parameters
    ----------
    copies
        Kinds of copies in the cache, where it did not answer.
    """
    cached = ("response_cache", "embedding_cache", *copies)
    backups = {"store": "dynamodb", "what": "point_in_time_recovery", "at_most_seconds": RECOVERY_SECONDS}
    return [*({"store": "momento", "what": kind, "at_most_seconds": MOMENTO_SECONDS} for kind in cached), backups]


def deleted_conversation(conversation: str, erased: Erased) -> dict[str, Any]:
    """Write OpenAI's receipt of a deletion, with what went from which store and what stays until it expires."""
    return {
        "id": conversation,
        "object": "conversation.deleted",
        "deleted": erased.complete,
        "omoide": {
            "erased": {"dynamodb": dict(erased.history), "momento": dict(erased.copies)},
            "may_remain": may_remain(erased.copies if erased.copies_remain else ()),
        },
    }


def without_item(head: Head) -> dict[str, Any]:
    """Write the conversation that an item was deleted from, with what stays of the item until it expires."""
    resource = conversation_resource(head)
    return {**resource, "omoide": {**resource["omoide"], "may_remain": may_remain()}}


def list_resource(data: Sequence[Mapping[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """Write OpenAI's list envelope."""
    return {
        "object": "list",
        "data": list(data),
        "first_id": data[0]["id"] if data else "",
        "last_id": data[-1]["id"] if data else "",
        "has_more": has_more,
    }


def memory_change(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read a change of memory settings; None when there is none."""
    memory = body.get("memory")
    if memory is not None and not isinstance(memory, dict):
        raise InvalidRequest("`memory` must be an object.", param="memory", code="invalid_type")
    return memory


def conversation_change(body: Mapping[str, Any]) -> tuple[dict[str, str] | None, dict[str, Any] | None]:
    """Read a change of a conversation: its metadata, its memory settings, or both."""
    memory = memory_change(body)
    if "metadata" not in body and memory is None:
        raise InvalidRequest("This parameter is required.", param="metadata", code="missing_required_parameter")
    return check_metadata(body["metadata"]) if "metadata" in body else None, memory


_OF_THE_QUERY = frozenset({"model"})
_NUMBER = re.compile(r"-?[0-9]{1,15}")


def context_query(request: Request) -> tuple[dict[str, Any], str]:
    """Read the memory settings to look through, and the model whose encoding counts, of a context's query.

    Names are those of the request object ``memory``: ``?policy=token_window&max_tokens=2000``.
    """
    query = request.query_parameters or {}
    override = {name: _value(text) for name, text in query.items() if name not in _OF_THE_QUERY}
    return override, query.get("model", "")


COMPARED = 8
"""Most settings that one call compares."""


def comparison(body: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """Read the memory settings to compare, and the model whose encoding counts.

    Raises
    ------
    InvalidRequest
        With the parameter that is wrong.
    """
    asked = body.get("compare")
    if asked is None:
        raise InvalidRequest("This parameter is required.", param="compare", code="missing_required_parameter")
    if not isinstance(asked, list) or not 1 <= len(asked) <= COMPARED:
        message = f"`compare` must be a list of 1 to {COMPARED} memory settings."
        raise InvalidRequest(message, param="compare", code="invalid_type")
    for place, one in enumerate(asked):
        if not isinstance(one, dict):
            message = "Memory settings must be an object."
            raise InvalidRequest(message, param=f"compare[{place}]", code="invalid_type")
    model = body.get("model", "")
    if not isinstance(model, str):
        raise InvalidRequest("`model` must be a text.", param="model", code="invalid_type")
    return asked, model


def _value(text: str) -> Any:
    """Read a query's text as the JSON value that stands so in ``memory``."""
    if _NUMBER.fullmatch(text):
        return int(text)
    return {"true": True, "false": False, "null": None}.get(text, text)
