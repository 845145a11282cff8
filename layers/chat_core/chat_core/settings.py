"""Settings from the environment, read when they are first needed: one frozen record a function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from chat_core.errors import InvalidRequest
from chat_core.memory import parse_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

CacheScope = Literal["user", "global"]
DEFAULT_MEMORY: Mapping[str, Any] = {"policy": "message_window", "max_messages": 20}


class SettingsError(ValueError):
    """An environment variable holds what it may not; the message names it, never its value."""


@dataclass(frozen=True, slots=True)
class MomentoSettings:
    """How to reach Momento: a local server, a key of our own, or a secret that holds the key.

    Parameters
    ----------
    local
        ``host:port`` of a server that speaks Momento's protocol in plain text.
    api_key, endpoint
        As Momento's SDK has them; a key of the first generation holds its endpoint itself.
    secret_id
        Of a secret that is a key, or JSON with ``api_key`` and ``endpoint``.
    """

    local: str = ""
    api_key: str = ""
    endpoint: str = ""
    secret_id: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> MomentoSettings:
        """Read ``MOMENTO_LOCAL``, ``MOMENTO_API_KEY``, ``MOMENTO_ENDPOINT`` and ``MOMENTO_SECRET_ID``."""
        return cls(
            local=env.get("MOMENTO_LOCAL", ""),
            api_key=env.get("MOMENTO_API_KEY", ""),
            endpoint=env.get("MOMENTO_ENDPOINT", ""),
            secret_id=env.get("MOMENTO_SECRET_ID", ""),
        )


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """What both functions need.

    Parameters
    ----------
    momento
        See there.
    cache_name
        Momento cache for all values and lists.
    table
        DynamoDB table of the history.
    ttl_days
        Days after which history expires, None for never.
    hot_messages
        How many of the newest messages the hot list keeps.
    default_memory
        Memory settings of a conversation that has none of its own.
    """

    momento: MomentoSettings
    cache_name: str
    table: str
    ttl_days: int | None
    hot_messages: int
    default_memory: Mapping[str, Any]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> HistorySettings:
        """Read the environment.

        Raises
        ------
        SettingsError
            If a variable is missing or out of range.
        """
        return cls(
            momento=MomentoSettings.from_env(env),
            cache_name=env.get("CACHE_NAME") or "omoide",
            table=_text(env, "HISTORY_TABLE"),
            ttl_days=_number(env, "HISTORY_TTL_DAYS", 0, low=0, high=36_500) or None,
            hot_messages=_number(env, "HOT_MESSAGES", 200, low=1, high=1_000),
            default_memory=_memory(env),
        )


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    """How to reach the model's provider.

    Parameters
    ----------
    api_key, secret_id
        The provider's key, or the secret that holds it.
    base_url
        Without a trailing slash.
    model
        When a request names none.
    embedding_model
        For recall; empty: it goes by words alone.
    """

    api_key: str
    secret_id: str
    base_url: str
    model: str
    embedding_model: str = "text-embedding-3-small"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> OpenAISettings:
        """Read ``OPENAI_API_KEY``, ``OPENAI_SECRET_ID``, ``OPENAI_BASE_URL``, ``CHAT_MODEL``, ``EMBEDDING_MODEL``."""
        return cls(
            api_key=env.get("OPENAI_API_KEY", ""),
            secret_id=env.get("OPENAI_SECRET_ID", ""),
            base_url=(env.get("OPENAI_BASE_URL") or "https://api.openai.com/v1").rstrip("/"),
            model=env.get("CHAT_MODEL") or "gpt-4.1-mini",
            embedding_model=env.get("EMBEDDING_MODEL", "text-embedding-3-small").strip(),
        )


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What the chat function needs beside the history.

    Parameters
    ----------
    history
        See there.
    openai
        See there.
    allowed_models
        Empty for all.
    allow_provider_references
        Whether requests may name objects of the one provider account that serves all users.
    cache_ttl
        Seconds that a reply is kept, at most a day.
    cache_scope
        Whether each user has replies of their own, or all users share theirs: ``user`` or ``global``.
    cache_timeout_ms
        Milliseconds that a read of the response cache may take, and that a write may hold an answer back.
    cache_epoch
        In every response key: a new one empties the cache.
    lock_wait
        Seconds to wait for another turn of the conversation.
    response_days
        Days that an answer may be read.
    store_responses
        Whether answers may be read later at all.
    store_timeout_ms
        Milliseconds that an answer without a conversation may wait for being stored.
    """

    history: HistorySettings
    openai: OpenAISettings
    allowed_models: frozenset[str]
    allow_provider_references: bool
    cache_ttl: int
    cache_scope: CacheScope
    cache_timeout_ms: int
    cache_epoch: int
    lock_wait: int
    response_days: int
    store_responses: bool
    store_timeout_ms: int

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> ChatSettings:
        """Read the environment.

        Raises
        ------
        SettingsError
            If a variable is missing or out of range.
        """
        return cls(
            history=HistorySettings.from_env(env),
            openai=OpenAISettings.from_env(env),
            allowed_models=frozenset(filter(None, map(str.strip, env.get("ALLOWED_MODELS", "").split(",")))),
            allow_provider_references=_switch(env, "ALLOW_PROVIDER_REFERENCES"),
            cache_ttl=_number(env, "CACHE_TTL_SECONDS", 86_400, low=1, high=86_400),
            cache_scope=_cache_scope(env),
            cache_timeout_ms=_number(env, "CACHE_TIMEOUT_MS", 50, low=1, high=5_000),
            cache_epoch=_number(env, "CACHE_EPOCH", 0, low=0, high=2**31),
            lock_wait=_number(env, "LOCK_WAIT_SECONDS", 10, low=0, high=25),
            response_days=_number(env, "RESPONSE_TTL_DAYS", 30, low=1, high=365),
            store_responses=_switch(env, "STORE_RESPONSES", default=True),
            store_timeout_ms=_number(env, "STORE_TIMEOUT_MS", 300, low=1, high=5_000),
        )


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """What the memory function needs beside the history.

    Parameters
    ----------
    history
        See there.
    openai
        See there.
    model
        Writes summaries and extracts facts.
    """

    history: HistorySettings
    openai: OpenAISettings
    model: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> MemorySettings:
        """Read the environment.

        Raises
        ------
        SettingsError
            If a variable is missing or out of range.
        """
        openai = OpenAISettings.from_env(env)
        return cls(HistorySettings.from_env(env), openai, env.get("MEMORY_MODEL") or openai.model)


def _text(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        message = f"The environment variable {name} is not set."
        raise SettingsError(message)
    return value


def _number(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        message = f"The environment variable {name} must be a whole number from {low} to {high}."
        raise SettingsError(message)
    return int(text)


def _cache_scope(env: Mapping[str, str]) -> CacheScope:
    match env.get("CACHE_SCOPE", "").strip().lower():
        case "" | "user":
            return "user"
        case "global":
            return "global"
    raise SettingsError("The environment variable CACHE_SCOPE must be user or global.")


def _switch(env: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    text = env.get(name, "").strip().lower()
    if text not in ("", "true", "false"):
        message = f"The environment variable {name} must be true or false."
        raise SettingsError(message)
    return text == "true" if text else default


def _memory(env: Mapping[str, str]) -> Mapping[str, Any]:
    """Read and check it here: a caller whose turn failed for it could do nothing about it."""
    try:
        value: Mapping[str, Any] = json.loads(env.get("DEFAULT_MEMORY") or "null") or DEFAULT_MEMORY
        parse_policy(value)
    except ValueError:
        message = "The environment variable DEFAULT_MEMORY must be a JSON object."
        raise SettingsError(message) from None
    except InvalidRequest as refused:
        message = f"The environment variable DEFAULT_MEMORY: {refused}"
        raise SettingsError(message) from None
    return value
