"""A call without a conversation: the model's reply through the cache, and nothing remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.cache_policy import Directives
    from chat_core.deadline import Deadline
    from chat_core.replies import Replies

ANSWER_RESERVE = 1.0


async def respond(
    replies: Replies, body: Mapping[str, Any], *, user: str, directives: Directives, deadline: Deadline
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Answer a stateless request to the Responses API.

    Parameters
    ----------
    body
        What goes to the model.
    user
        The scope: who may share the reply.

    Returns
    -------
    tuple
        OpenAI's response with our member ``omoide``, and the headers that tell of the cache.
    """
    timeout = deadline.remaining(reserve=ANSWER_RESERVE)
    reply = await replies.respond(body, scope=user, directives=directives, timeout=timeout)
    return {**reply.response, "omoide": {"cache": reply.cache}}, reply.headers
