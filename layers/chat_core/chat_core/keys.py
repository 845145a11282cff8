"""Every key of the project: of the cache's values, of the table's rows, and the ids that encode a place."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import urlsplit

from chat_core.canonical import Endpoint, Uncacheable, canonical_request, canonical_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "HEAD",
    "SCHEMA",
    "Endpoint",
    "Uncacheable",
    "batch_key",
    "embedding_key",
    "history_list_key",
    "idempotency_partition_key",
    "is_conversation_id",
    "is_generated_id",
    "item_id",
    "item_prefix",
    "item_sort_key",
    "lease_key",
    "memory_key",
    "new_conversation_id",
    "new_incarnation",
    "parse_item_id",
    "part_sort_key",
    "partition_key",
    "response_key",
    "scope_tag",
    "session_id",
]

SCHEMA = 1
"""Version of the canonical form: whoever changes the form raises it, and every older entry is out of reach."""

HEAD = "head"
"""Sort key of a conversation's head row."""

_MAX_SEQ = 10**12 - 1
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CONVERSATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_ITEM_PREFIX = re.compile(r"[a-z][a-z0-9]{0,15}")
_ITEM_ID = re.compile(r"[a-z][a-z0-9]{0,15}_([0-9a-f]{16})([0-9a-f]{12})")
_INCARNATION = re.compile(r"[0-9a-f]{16}")
_ITEM_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
}


# The response cache


def response_key(
    endpoint: Endpoint,
    body: Mapping[str, Any],
    *,
    scope: str,
    base_url: str,
    api_version: str = "",
    epoch: int = 0,
    schema: int = SCHEMA,
) -> str:
    """Compose the key of the reply to a request: ``llm:{schema}:{scope tag}:{sha256}``.

    Parameters
    ----------
    endpoint
        Path of OpenAI's route, without ``/v1/``.
    body
        The effective request, as it goes upstream.
    scope
        Whose data it is, derived on the server.
    base_url
        The provider's; its credentials, if any, are left out, so that rotating them empties no cache.
    api_version
        The provider's, where it has versions.
    epoch
        Raised to put every entry out of reach.
    schema
        Version of the canonical form.

    Raises
    ------
    Uncacheable
        If the body is no JSON value.
    """
    prefix, context = _context(endpoint, scope, (base_url, api_version), epoch, schema)
    return f"llm:{prefix}:{sha256(context + canonical_request(endpoint, body)).hexdigest()}"


def embedding_key(
    text_or_tokens: str | Sequence[int],
    *,
    model: str,
    dimensions: int | None,
    scope: str,
    base_url: str,
    api_version: str = "",
    epoch: int = 0,
    schema: int = SCHEMA,
    parameters: Mapping[str, Any] | None = None,
) -> str:
    """Compose the key of one input's vector: ``emb:{schema}:{scope tag}:{sha256}``.

    One vector serves every ``encoding_format``.

    Parameters
    ----------
    text_or_tokens
        One input of the batch.
    parameters
        The request's other members, or the whole body: what other providers call ``task`` or ``input_type`` changes
        the vector.

    Raises
    ------
    Uncacheable
        If the input or a parameter is no JSON value.
    """
    others = {
        name: value
        for name, value in (parameters or {}).items()
        if name not in {"input", "encoding_format", "model", "dimensions"}
    }
    prefix, context = _context("embeddings", scope, (base_url, api_version), epoch, schema)
    vector = canonical_value([model, dimensions, text_or_tokens]) + canonical_request("embeddings", others)
    return f"emb:{prefix}:{sha256(context + vector).hexdigest()}"


def batch_key(keys: Sequence[str]) -> str:
    """Compose the key of a batch of inputs from those of its inputs, in order: no value has it, but a lease."""
    prefix = keys[0].rpartition(":")[0]
    return f"{prefix}:{sha256(canonical_value(list(keys))).hexdigest()}"


def lease_key(key: str) -> str:
    """Compose the key of the lease on the call whose result belongs under ``key``."""
    return f"lease:{key.partition(':')[2]}"


def scope_tag(scope: str) -> str:
    """Name a scope in keys and logs without telling whose it is: 12 hex digits of SHA-256."""
    return sha256(scope.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@lru_cache(maxsize=64, typed=True)
def _context(endpoint: Endpoint, scope: str, provider: tuple[str, str], epoch: int, schema: int) -> tuple[str, bytes]:
    """Write what a key is made of beside the body: the part that shows, and the part that is hashed."""
    base_url, api_version = provider
    hashed = canonical_value([schema, endpoint, normalised_base_url(base_url), api_version, scope, epoch])
    return f"{schema}:{scope_tag(scope)}", hashed


def normalised_base_url(url: str) -> str:
    """Write scheme and host in lower case, without default port, credentials and trailing slash (RFC 3986, 6.2).

    Raises
    ------
    Uncacheable
        If it is no URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Uncacheable("bad_base_url", "The provider's base URL is not a URL.") from None
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if port is not None and port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}{query}"


# A conversation's keys in the cache and in the table


def session_id(user: str, conversation: str) -> str:
    """Name a conversation of a user's; injective, since a conversation id holds no slash.

    Raises
    ------
    ValueError
        If there is no user, or the conversation's id is none.
    """
    if not user:
        raise ValueError("A user is needed.")
    if not is_conversation_id(conversation):
        raise ValueError("Not a conversation id.")
    return f"{user}/{conversation}"


def history_list_key(user: str, conversation: str) -> str:
    """Key of the hot history: what LangChain's ``MomentoChatMessageHistory`` makes of the session id."""
    return f"message_store:{session_id(user, conversation)}"


def memory_key(user: str, conversation: str) -> str:
    """Key of the packed memory value."""
    return f"memory:{session_id(user, conversation)}"


def partition_key(user: str, conversation: str) -> str:
    """Partition key of a conversation's rows."""
    return session_id(user, conversation)


def idempotency_partition_key(user: str, route: str, key: str) -> str:
    """Partition key of an idempotency record; never a conversation's, whose id holds no ``#``."""
    if not user:
        raise ValueError("A user is needed.")
    return f"{user}/idempotency#{sha256(canonical_value([route, key])).hexdigest()}"


def item_sort_key(seq: int) -> str:
    """Sort key of an item's row: the order of the texts is that of the places."""
    return f"item#{_checked(seq):012d}"


def part_sort_key(seq: int, part: int) -> str:
    """Sort key of a further row of an item too large for one: right behind the item's own."""
    if not 0 <= part <= 9999:
        raise ValueError("A part's number has up to four digits.")
    return f"{item_sort_key(seq)}#{part:04d}"


# Ids


def is_conversation_id(text: object) -> TypeGuard[str]:
    """Whether a text may name a conversation: 1 to 128 of ``A-Z a-z 0-9 . _ : -``, but not ``.`` or ``..``."""
    return isinstance(text, str) and text not in {".", ".."} and _CONVERSATION_ID.fullmatch(text) is not None


def new_conversation_id() -> str:
    """Draw an id for a conversation that the caller does not name."""
    return f"conv_{secrets.token_hex(16)}"


def is_generated_id(conversation: str) -> bool:
    """Whether the id is of the form that only this service gives out."""
    return conversation.startswith("conv_")


def new_incarnation() -> str:
    """Draw what tells a conversation from an erased one of the same name."""
    return secrets.token_hex(8)


def item_prefix(item_type: str) -> str:
    """Prefix of an item's id: OpenAI's where it is known, else the letters and digits of the type."""
    known = _ITEM_PREFIXES.get(item_type)
    if known:
        return known
    letters = re.sub(r"[^a-z0-9]", "", item_type.lower()).lstrip("0123456789")
    return letters[:16] or "item"


def item_id(prefix: str, incarnation: str, seq: int) -> str:
    """Compose an item's id, which tells where the item stands: ``{prefix}_{incarnation}{seq, 12 hex digits}``.

    Raises
    ------
    ValueError
        If a part has not its form.
    """
    if not _ITEM_PREFIX.fullmatch(prefix) or not _INCARNATION.fullmatch(incarnation):
        raise ValueError("Not an item prefix and an incarnation.")
    return f"{prefix}_{incarnation}{_checked(seq):012x}"


def parse_item_id(text: object) -> tuple[str, int] | None:
    """Read incarnation and seq from an item's id; None if this service never gave it out."""
    match = _ITEM_ID.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    seq = int(match[2], 16)
    return (match[1], seq) if seq <= _MAX_SEQ else None


def _checked(seq: int) -> int:
    if not 0 <= seq <= _MAX_SEQ:
        raise ValueError("A seq has up to twelve digits.")
    return seq
