"""A call without a conversation: the model's answer through the cache, and nothing remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chat_core.cache.embeddings import Embeddings
    from chat_core.cache.policy import Directives
    from chat_core.cache.replies import Replies, Reply
    from chat_core.deadline import Deadline
    from chat_core.keys import Endpoint

ANSWER_RESERVE = 1.0


@dataclass(frozen=True, slots=True)
class StatelessCall:
    """A checked request.

    Parameters
    ----------
    user
        Whose it is.
    body
        What goes to the model.
    directives
        Of the response cache.
    """

    user: str
    body: dict[str, Any]
    directives: Directives


async def respond(
    replies: Replies,
    body: Mapping[str, Any],
    *,
    user: str,
    directives: Directives,
    deadline: Deadline,
    endpoint: Endpoint = "responses",
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Answer a stateless request to the Responses API or to Chat Completions.

    Parameters
    ----------
    body
        What goes to the model.
    user
        The scope: who may share the reply.

    Returns
    -------
    tuple
        OpenAI's object with our member ``omoide``, and the headers that tell of the cache.
    """
    timeout = deadline.remaining(reserve=ANSWER_RESERVE)
    return _told(await replies.respond(body, scope=user, directives=directives, timeout=timeout, endpoint=endpoint))


async def embed(
    embeddings: Embeddings, call: StatelessCall, deadline: Deadline
) -> tuple[dict[str, Any], Mapping[str, str]]:
    """Answer a request for embeddings; what it returns is as for `respond`."""
    timeout = deadline.remaining(reserve=ANSWER_RESERVE)
    return _told(await embeddings.embed(call.body, scope=call.user, directives=call.directives, timeout=timeout))


def _told(reply: Reply) -> tuple[dict[str, Any], Mapping[str, str]]:
    return {**reply.response, "omoide": {"cache": reply.cache}}, reply.headers
