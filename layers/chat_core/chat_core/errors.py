"""What can go wrong, in the core's own words: HTTP statuses are chosen in `chat_core.api.errors` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class ChatError(Exception):
    """Root of the errors that a caller is told.

    Parameters
    ----------
    message
        A sentence for the person who called. Never holds message contents, secrets or a vendor's own text.
    param
        The parameter that is wrong, in OpenAI's notation (``input[0].content``), or None.
    code
        Overrides the class's code.

    Attributes
    ----------
    code
        Machine-readable, in OpenAI's style.
    """

    code = "internal_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        if code is not None:
            self.code = code


class InvalidRequest(ChatError):
    """The request is not well formed or asks for what does not exist."""

    code = "invalid_value"


class UnsupportedMediaType(InvalidRequest):
    """The body is no JSON, and says so."""

    code = "unsupported_media_type"


class ContextBudgetExceeded(InvalidRequest):
    """The part of the context that may not be left out does not fit the budget.

    Parameters
    ----------
    required_tokens, budget_tokens
        What is needed and what there is, in tokens.
    """

    code = "context_budget_exceeded"

    def __init__(self, *, required_tokens: int, budget_tokens: int) -> None:
        super().__init__(
            f"The system message and the current turn need {required_tokens} tokens; "
            f"the memory's budget is {budget_tokens}.",
            param="memory",
        )
        self.required_tokens = required_tokens
        self.budget_tokens = budget_tokens


class NotAuthenticated(ChatError):
    """The authorizer's claims name no user."""

    code = "invalid_api_key"


class NotFound(ChatError):
    """There is no such thing, or it is someone else's: the two are told in the same bytes."""

    code = "not_found"


def no_conversation() -> NotFound:
    """Say that there is no such conversation, in the same words for whatever reason."""
    return NotFound("There is no such conversation.")


def no_response() -> NotFound:
    """Say that there is no such response, in the same words for whatever reason."""
    return NotFound("There is no such response.")


class RequestTooLarge(ChatError):
    """The body is larger than the platform carries."""

    code = "request_too_large"


class Retryable(ChatError):
    """A refusal that passes.

    Parameters
    ----------
    retry_after_ms
        When to come again, in milliseconds; None when unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_ms: int | None = None,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, param=param, code=code)
        self.retry_after_ms = retry_after_ms


class ConversationLocked(Retryable):
    """Another turn of the conversation is still running."""

    code = "conversation_locked"


class IdempotencyInProgress(Retryable):
    """The request with this idempotency key is still running."""

    code = "idempotency_in_progress"


class IdempotencyKeyReused(ChatError):
    """The idempotency key came before, with another request."""

    code = "idempotency_key_reused"


class VersionConflict(ChatError):
    """What was to be changed is another one since it was read."""

    code = "version_conflict"


class StoreUnavailable(Retryable):
    """The durable history cannot be reached; nothing was done and no model was paid."""

    code = "store_unavailable"


class SecretUnavailable(ChatError):
    """A key that this service needs is not to be had: the owner must fill in a secret, and a retry does not help."""

    code = "secret_unavailable"


class UpstreamRejected(ChatError):
    """The model's provider refused the request; its own answer is passed on.

    Parameters
    ----------
    status
        400, 404, 413, 422 or 429.
    error
        The provider's error object: ``{"message", "type", "param", "code"}``.
    headers
        Those of the provider's that the caller needs: ``retry-after`` and ``retry-after-ms``.
    """

    code = "upstream_rejected"

    def __init__(self, *, status: int, error: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(str(error.get("message") or "The model's provider refused the request."))
        self.status = status
        self.error = error
        self.headers = headers


class UpstreamError(ChatError):
    """The model's provider failed, or answered what cannot be read."""

    code = "upstream_error"


class UpstreamCredentialsRefused(UpstreamError):
    """The model's provider refused our own credentials: not the caller's fault, and a retry does not help."""


class UpstreamMisplaced(UpstreamError):
    """There is no such API at the provider's address: not the caller's fault, and a retry does not help."""


class AnswerTooLarge(UpstreamError):
    """The model answered more than could be read back: the same request would be paid for again in vain."""

    code = "answer_too_large"


class UpstreamTimeout(ChatError):
    """The model did not answer in time."""

    code = "upstream_timeout"


class DeadlineExceeded(ChatError):
    """The turn's time is spent; nothing of it was stored."""

    code = "deadline_exceeded"


class CacheMissed(ChatError):
    """The caller takes a cached reply only, and there is none (RFC 9111, ``only-if-cached``)."""

    code = "cache_miss"


class CommitConflict(Exception):
    """The head moved since it was read: the commit was not made and may be tried on the new head."""


class CacheUnavailable(Exception):
    """The cache did not answer, or refused: go on without it.

    Parameters
    ----------
    reason
        A short word for metrics: ``timeout``, ``unavailable``, ``limit_exceeded``, ``not_found``, ``credentials``,
        ``secret``, ``error``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
