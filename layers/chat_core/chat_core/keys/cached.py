"""Keys of the response cache: a reply or a vector by the hash of the whole effective request."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chat_core.keys.canonical import Endpoint, Uncacheable, canonical_request, canonical_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


SCHEMA = 1
"""Version of the canonical form: whoever changes the form raises it, and every older entry is out of reach."""


_DEFAULT_PORTS = {"http": 80, "https": 443}


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
