"""An answer in the pieces in which a provider streams it, as whole as a fault leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.api.streams import chunk_frames, completion_chunks, event_frames, response_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.model.faults import Fault

_ERROR = {"code": "server_error", "message": "The model broke off.", "param": None}


@dataclass(frozen=True, slots=True)
class Piece:
    """An event of a stream.

    Parameters
    ----------
    content
        As it is sent; None where the connection ends.
    is_token
        Whether it holds what the model has made just now: that takes time.
    """

    content: bytes | None
    is_token: bool = False


def stream_of(path: str, body: Mapping[str, Any], answer: Mapping[str, Any], fault: Fault) -> Iterator[Piece]:
    """Yield the stream of an answer.

    Parameters
    ----------
    path
        Of the route.
    body
        The request.
    answer
        OpenAI's object.
    fault
        What becomes of the stream.
    """
    pieces = list(_responses(answer) if path == "/v1/responses" else _chat(body, answer))
    if fault.damage is None:
        yield from pieces
        return
    after = len(pieces) // 2 if fault.after is None else fault.after
    yield from pieces[:after]
    if fault.damage == "cut":
        yield Piece(None)
    elif fault.damage == "error":
        yield Piece(_error_frame(path, after).encode())
    else:
        broken = pieces[min(after, len(pieces) - 1)].content or b""
        yield Piece(broken[: len(broken) // 2] + b"\n\n")
        yield from pieces[after + 1 :]


def _responses(answer: Mapping[str, Any]) -> Iterator[Piece]:
    for event in response_events(answer):
        [frame] = event_frames([event])
        yield Piece(frame.encode(), is_token=event["type"].endswith(".delta"))


def _chat(body: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[Piece]:
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    chunks = list(completion_chunks(answer, include_usage=with_usage))
    for chunk, frame in zip([*chunks, None], chunk_frames(chunks), strict=True):
        delta = chunk["choices"][0]["delta"] if chunk and chunk["choices"] else {}
        yield Piece(frame.encode(), is_token=bool(delta) and "role" not in delta)


def _error_frame(path: str, number: int) -> str:
    if path == "/v1/responses":
        return next(iter(event_frames([{"type": "error", "sequence_number": number, **_ERROR}])))
    return next(iter(chunk_frames([{"error": {"type": "server_error", **_ERROR}}])))
