"""What a test can make the stand-in suffer on its next call."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from local.model.answers import Reply
from local.model.dialogue import is_japanese
from local.model.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _unchanged(reply: Reply) -> Reply:
    return reply


@dataclass(frozen=True)
class Fault:
    """One call's fault; without any it is answered as always.

    Parameters
    ----------
    delay
        Seconds before the answer, beside those of every call.
    error
        The error that it answers.
    damage
        ``"cut"`` closes the connection in the middle of the answer's body, ``"malformed"`` sends a body, or in a
        stream an event, that is no JSON, ``"error"`` ends a stream with an event that tells of an error.
    after
        How many events of a stream come before the damage; None for half of them.
    whole
        Whether a request for a stream is answered with JSON, as by a provider that does not stream.
    change
        What becomes of the model's reply; embeddings have none.
    form
        The name of the structured output that it befalls (``memory_summary``); empty for whatever is asked next.
    """

    delay: float = 0.0
    error: ApiError | None = None
    damage: Literal["cut", "malformed", "error"] | None = None
    after: int | None = None
    whole: bool = False
    change: Callable[[Reply], Reply] = _unchanged
    form: str = ""


NO_FAULT = Fault()


def http_error(
    status: int, *, code: str | None = None, headers: Mapping[str, str] | None = None, message: str = "A fault."
) -> Fault:
    """Return the fault that answers this status in OpenAI's envelope."""
    return Fault(error=ApiError(status, message, code=code, headers=headers))


def rate_limited(retry_after: float) -> Fault:
    """Return a 429 that asks for a pause of so many seconds."""
    return http_error(429, code="rate_limit_exceeded", headers={"retry-after": f"{retry_after:g}"})


def slow(seconds: float) -> Fault:
    """Return the fault that answers late."""
    return Fault(delay=seconds)


def cut_connection(*, after: int | None = None) -> Fault:
    """Return the fault that ends in the middle of the answer's body, of a stream after so many events."""
    return Fault(damage="cut", after=after)


def malformed_json(*, after: int | None = None) -> Fault:
    """Return the fault whose answer cannot be read, of a stream from one event on."""
    return Fault(damage="malformed", after=after)


def error_event(*, after: int | None = None) -> Fault:
    """Return the fault that ends a stream with an error; an answer that is whole has none."""
    return Fault(damage="error", after=after)


def no_stream() -> Fault:
    """Return the fault of a provider that answers JSON where it is asked for a stream."""
    return Fault(whole=True)


def empty_output() -> Fault:
    """Return the fault that completes without any output."""
    return Fault(change=lambda _: Reply())


def refusal(text: str = "I cannot help with that.") -> Fault:
    """Return the fault that refuses."""
    return Fault(change=lambda _: Reply(refusal=text))


def incomplete(reason: Literal["max_output_tokens", "content_filter"]) -> Fault:
    """Return the fault that stops before the end for this reason."""
    return Fault(change=lambda reply: replace(reply, incomplete=reason))


def failed() -> Fault:
    """Return the fault of a model that fails: a failed response, or the status 500 of a chat completion."""
    return Fault(change=lambda reply: replace(reply, failed=True))


def only(fault: Fault, form: str) -> Fault:
    """Let a fault wait for a request for the structured output of this name."""
    return replace(fault, form=form)


def blank_summary() -> Fault:
    """Return the fault of notes with nothing in them."""
    return _summary(lambda _: " ")


def long_summary() -> Fault:
    """Return the fault of notes that are longer than any limit."""
    return _summary(lambda text: f"{text or 'word'}\n" * 2_000)


def foreign_summary() -> Fault:
    """Return the fault of notes in another language than the conversation's."""
    return _summary(lambda text: _ENGLISH if is_japanese(text) else _JAPANESE)


def not_the_schema(text: str = "There is nothing to note.", *, form: str = "memory_summary") -> Fault:
    """Return the fault of a structured output that is none."""
    return Fault(change=lambda _: Reply(text=text), form=form)


_ENGLISH = "The user talked about many things, and the assistant was of help with all of them."
_JAPANESE = "ユーザーはいろいろなことについて話し、アシスタントはそのすべてを手伝いました。"


def _summary(change: Callable[[str], str]) -> Fault:
    def changed(reply: Reply) -> Reply:
        answer = json.loads(reply.text or "{}")
        answer["summary"] = change(str(answer.get("summary", "")))
        return replace(reply, text=json.dumps(answer, ensure_ascii=False))

    return Fault(change=changed, form="memory_summary")
