"""A call without a conversation: the model's answer through the cache, and nothing remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chat_core.cache.live import Completed

if TYPE_CHECKING:
    from chat_core.cache.embeddings import Embeddings
    from chat_core.cache.replies import Replies
    from chat_core.cache.reply import CallReport, Listener, ModelCall, Reply
    from chat_core.deadline import Deadline

ANSWER_RESERVE = 1.0


async def respond(replies: Replies, call: ModelCall, deadline: Deadline, listener: Listener | None = None) -> Completed:
    """Answer a stateless request to the Responses API or to Chat Completions.

    Parameters
    ----------
    listener
        Follows the answer as the model makes it.

    Returns
    -------
    Completed
        With OpenAI's object and our member ``omoide``.
    """
    timeout = deadline.remaining(reserve=ANSWER_RESERVE)
    return _with_report(await replies.respond(call, timeout=timeout, listener=listener))


async def embed(embeddings: Embeddings, call: ModelCall, deadline: Deadline) -> Completed:
    """Answer a request for embeddings; what it returns is as for `respond`."""
    return _with_report(await embeddings.embed(call, timeout=deadline.remaining(reserve=ANSWER_RESERVE)))


def _with_report(reply: Reply) -> Completed:
    report: CallReport = {"cache": reply.cache}
    return Completed({**reply.response, "omoide": report}, reply.headers)
