"""A call without a conversation: the model's answer through the cache, and nothing remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.cache.embeddings import Embeddings
    from chat_core.cache.replies import Replies
    from chat_core.cache.reply import CallReport, ModelCall, Reply
    from chat_core.deadline import Deadline

ANSWER_RESERVE = 1.0


async def respond(replies: Replies, call: ModelCall, deadline: Deadline) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Answer a stateless request to the Responses API or to Chat Completions.

    Returns
    -------
    tuple
        OpenAI's object with our member ``omoide``, and the headers that tell of the cache.
    """
    return _with_report(await replies.respond(call, timeout=deadline.remaining(reserve=ANSWER_RESERVE)))


async def embed(
    embeddings: Embeddings, call: ModelCall, deadline: Deadline
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Answer a request for embeddings; what it returns is as for `respond`."""
    return _with_report(await embeddings.embed(call, timeout=deadline.remaining(reserve=ANSWER_RESERVE)))


def _with_report(reply: Reply) -> tuple[dict[str, Any], Mapping[str, str]]:
    report: CallReport = {"cache": reply.cache}
    return {**reply.response, "omoide": report}, reply.headers
