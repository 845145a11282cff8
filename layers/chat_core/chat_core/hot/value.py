"""The memory value: what the next view may need of a conversation, in as few bytes as possible.

Momento meters every 1,024 bytes that it transfers. Messages are held in the form in which they go to the model, without
ids of ours and times; the whole is one JSON text. It is compressed in two ways, of which the shorter wins: as UTF-8,
and as UTF-16 with its high and low bytes apart, which makes Japanese and Chinese a sixth shorter when nothing repeats.
Whether a value holds enough for a policy that has changed is for `View.short` to tell.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from chat_core.memory import NO_NOTES, Earlier, Kept, Notes
from chat_core.messages import (
    Message,
    compact,
    from_items,
    mend_text,
    plain_text,
    read_stored_json,
    upstream_items,
    window_bits,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from chat_core.messages import Role

_UTF8 = 0x20
_UTF16 = 0x21
"""First byte of a value: the version (high) and how its text is encoded (low)."""

_LARGEST_FOR_BOTH = 65_536
_LARGEST = 64 * 1024 * 1024
_LARGEST_BLOCK = 16_384
"""Bytes that one block of zlib's usual memory level holds whatever they are: more memory makes them no fewer."""

_SIZE_STEP = 64
_LETTERS: Mapping[Role, str] = {"system": "s", "user": "u", "assistant": "a"}
_ROLES: Mapping[str, Role] = {letter: role for role, letter in _LETTERS.items()}
_UNREADABLE = Message("reasoning", fields={"type": "reasoning"})
"""Stands for reasoning that cannot be sent."""


class KeptFacts(NamedTuple):
    """What is known in a conversation, of its own alone.

    Parameters
    ----------
    folds
        State of long-term memory that it is of.
    until
        From then on some of it has expired, in seconds since the epoch; None: never.
    rows
        As long-term memory writes them: lists of texts and numbers.
    """

    folds: int
    until: int | None
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class MemoryState:
    """What the memory value of a conversation holds.

    Parameters
    ----------
    incarnation, seq, edits
        State of the history that it was made of.
    kept
        For the next view. Anchors are not in the value: the head's is the one that counts.
    hot_sizes
        At least the bytes of the elements on the hot list, newest last.
    tokens
        Counts that are known, by the message's seq.
    encoding
        The vocabulary that counted.
    folds
        State of long-term memory that the notes in ``kept`` are of.
    facts
        None where there is nothing to believe.
    """

    incarnation: str
    seq: int
    edits: int
    kept: Kept
    hot_sizes: tuple[int, ...] = ()
    tokens: Mapping[int, int] = field(default_factory=dict)
    encoding: str = ""
    folds: int = 0
    facts: KeptFacts | None = None


def pack(state: MemoryState) -> bytes:
    """Write a memory value. Sizes on the hot list are rounded up to multiples of 64 bytes."""
    kept = state.kept
    earlier = kept.earlier
    value = [
        state.incarnation,
        state.seq,
        state.edits,
        list(_dump_messages(kept.messages)),
        [-(-size // _SIZE_STEP) for size in state.hot_sizes],
        [state.tokens.get(message.seq, -1) for message in kept.messages] if state.tokens else [],
        state.encoding,
        [earlier.whole, earlier.count, earlier.size, earlier.measure, list(_dump_messages(earlier.pinned))],
        state.folds,
        _dump_notes(earlier.notes),
        [state.facts.folds, state.facts.until, state.facts.rows] if state.facts else 0,
    ]
    text = compact(value)
    packed = bytes([_UTF8]) + _deflate(text.encode("utf-8", "surrogatepass"))
    if len(text) <= _LARGEST_FOR_BOTH and not text.isascii():
        wide = text.encode("utf-16-le", "surrogatepass")
        packed = min(packed, bytes([_UTF16]) + _deflate(wide[0::2], wide[1::2]), key=len)
    return packed


def unpack(data: bytes) -> MemoryState | None:
    """Read a memory value; None when it is of another version, or none at all."""
    try:
        return _load_state(read_stored_json(_inflate_text(data)))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, zlib.error):
        return None


def _deflate(*planes: bytes) -> bytes:
    """Compress planes one after the other, each with statistics of its own, in one raw stream."""
    size = sum(map(len, planes))
    memory = zlib.DEF_MEM_LEVEL + (size >= _LARGEST_BLOCK)
    compressor = zlib.compressobj(9, zlib.DEFLATED, -window_bits(size), memory)
    compressed = b""
    for plane in planes[:-1]:
        compressed += compressor.compress(plane) + compressor.flush(zlib.Z_PARTIAL_FLUSH)
    return compressed + compressor.compress(planes[-1]) + compressor.flush()


def _inflate_text(data: bytes) -> str:
    form = data[0]
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    flat = inflater.decompress(data[1:], _LARGEST)
    if not inflater.eof or inflater.unused_data or form not in (_UTF8, _UTF16):
        message = "no memory value of this version"
        raise ValueError(message)
    if form == _UTF8:
        return _decoded(flat, "utf-8")
    half = len(flat) // 2
    wide = bytearray(len(flat))
    wide[0::2], wide[1::2] = flat[:half], flat[half:]
    return _decoded(wide, "utf-16-le")


def _decoded(data: bytes | bytearray, encoding: str) -> str:
    """Decode a text; what an earlier version wrote though it was not Unicode is mended."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return mend_text(data.decode(encoding, "surrogatepass"))


def _dump_messages(messages: Iterable[Message]) -> Iterator[Any]:
    """Write messages as the items that go to the model, a plain text as ``uText``.

    A number before a message is the distance of its seq from where the items before it end.
    """
    seq = 0
    for message in messages:
        text = plain_text(message)
        items = upstream_items([message]) if text is None else None
        seq += 1 if items is None else len(items)
        if message.seq != seq:
            yield message.seq - seq
            seq = message.seq
        yield items if text is None else _LETTERS[message.role] + text


def _load_messages(values: Iterable[Any]) -> Iterator[Message]:
    seq = 0
    for value in values:
        if type(value) is int:
            seq += value
            continue
        if isinstance(value, str):
            seq += 1
            yield Message(_ROLES[value[0]], value[1:], seq=seq)
            continue
        seq += len(value)
        message = from_items(value)[0] if value else _UNREADABLE
        yield replace(message, seq=seq)


def _load_state(value: Any) -> MemoryState:
    incarnation, seq, edits, dumped, sizes, counts, encoding, earlier, folds, noted, known = value
    whole, count, size, measure, pinned = earlier
    messages = tuple(_load_messages(dumped))
    return MemoryState(
        incarnation,
        seq,
        edits,
        Kept(
            messages,
            Earlier(whole, count, size, measure, tuple(_load_messages(pinned)), anchor=None, notes=_load_notes(noted)),
        ),
        tuple(size * _SIZE_STEP for size in sizes),
        {message.seq: tokens for message, tokens in zip(messages, counts, strict=False) if tokens >= 0},
        encoding,
        folds,
        KeptFacts(*known) if known else None,
    )


def _dump_notes(notes: Notes) -> Any:
    if notes == NO_NOTES:
        return 0
    text = notes.message.text if notes.message else ""
    return [text, notes.covers_up_to, notes.forgotten_up_to, *notes.skipped]


def _load_notes(value: Any) -> Notes:
    if not value:
        return NO_NOTES
    text, covers_up_to, forgotten_up_to, *skipped = value
    message = Message("user", text) if text else None
    return Notes(message, covers_up_to, forgotten_up_to, tuple((first, last) for first, last in skipped))
