"""A text in the pieces in which a stream carries it."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from chat_core.api.streams.graphemes import is_border

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# A delta's frame has some 200 bytes: a long text in pieces of the same length would not fit into an answer of Lambda's.
_SHORTEST = 16
_ABOUT_AS_MANY = 256


def deltas(text: str, logprobs: Sequence[Mapping[str, Any]] = ()) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Cut a text into pieces that joined are the text, each with the log-probabilities of its tokens.

    A piece ends before a word where it can, and never inside a character that a reader sees as one. With
    log-probabilities it also ends where a token does; those of tokens that do not spell the text come with the last.

    Parameters
    ----------
    text
        Any text; an empty one has no pieces, but one for log-probabilities.
    logprobs
        OpenAI's entries, one a token: ``{"token", "bytes", "logprob", …}``.
    """
    size = max(_SHORTEST, -(-len(text) // _ABOUT_AS_MANY))
    ends = _token_ends(text, logprobs)
    start = told = 0
    while start < len(text):
        end = _end(text, start, size, ends)
        upto = len(logprobs) if end == len(text) else ends.get(end, 0)
        yield text[start:end], list(logprobs[told:upto])
        start, told = end, upto
    if logprobs and not text:
        yield "", list(logprobs)


def delta_events(
    stem: str, member: str, text: str, where: Mapping[str, Any], **also: object
) -> Iterator[dict[str, Any]]:
    """Yield the events of a text of the Responses API: its deltas, and then the whole of it.

    Parameters
    ----------
    stem
        The events' type without its last word.
    member
        What the whole is called.
    where
        Members of every event.
    also
        Further members of the last event.
    """
    for piece, _ in deltas(text):
        yield {"type": f"{stem}.delta", **where, "delta": piece}
    yield {"type": f"{stem}.done", **where, **also, member: text}


def _end(text: str, start: int, size: int, ends: Mapping[int, int]) -> int:
    """Choose where the piece ends that starts here."""
    end = start + size
    if end >= len(text):
        return len(text)
    word = text.rfind(" ", start + size // 2, end + 1)
    end = word if word > start else end
    while end < len(text) and not (is_border(text, end, start) and (not ends or end in ends)):
        end += 1
    return end


def _token_ends(text: str, logprobs: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Map each place where a token ends and no character is open to how many tokens end by there.

    Empty where the tokens are not as long as the text. A token may hold a part of a character's bytes.
    """
    if not logprobs:
        return {}
    places = {size: place for place, size in enumerate(accumulate(map(_size, text)), 1)}
    sizes = [_token_size(entry) for entry in logprobs]
    if sum(sizes) != max(places, default=0):
        return {}
    return {places[size]: count for count, size in enumerate(accumulate(sizes), 1) if size in places}


def _token_size(entry: Mapping[str, Any]) -> int:
    spelled = entry.get("bytes")
    return _size(str(entry.get("token", ""))) if spelled is None else len(spelled)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
