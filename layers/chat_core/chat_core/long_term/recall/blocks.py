"""Blocks: up to 64 turns of a conversation as the index keeps them, without a word of their text.

A packed block is a head, the turns' signs, and, compressed, numbers of the turns and the words of all of them: sorted
hashes, and for each the turns it occurs in as the bits of one integer. Numbers are written in planes (all lowest bytes,
then all second ones …), which compress better and are read without a loop. Looking a word up is a bisection.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MOST_TURNS = 64
"""Turns in a block: the bits of an integer of eight bytes."""

MOST_TERMS = 8_192
"""Distinct words a turn, added up over a block's turns, unless one turn alone has more: so it fits a row."""

_VERSION = 1
_HEAD = struct.Struct("<BBHIIB")  # version, turns, dimensions, time of embedding, words, bytes of the model's name
_HASH_BYTES = 3
_MOST = 0xFFFF
_LARGEST = 1 << 22


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index holds of a whole turn.

    Parameters
    ----------
    seq
        Of its last item.
    items
        How many items it is of: they end with ``seq``.
    created_at
        Seconds since the epoch.
    tokens
        What it takes to show it; at most 65,535 is kept.
    digest
        See `chat_core.long_term.recall.terms.digest`.
    terms
        See `chat_core.long_term.recall.terms.terms`.
    signs
        See `chat_core.long_term.recall.signs.signs`; None where it has no vector.
    """

    seq: int
    items: int
    created_at: int
    tokens: int
    digest: int
    terms: frozenset[int]
    signs: int | None = None

    @property
    def first_seq(self) -> int:
        """Of its first item."""
        return self.seq - self.items + 1


@dataclass(frozen=True, slots=True)
class Vectors:
    """Where a block's signs come from.

    Parameters
    ----------
    model
        Name of the embedding model.
    dimensions
        Length of its vectors.
    embedded_at
        Seconds since the epoch.
    """

    model: str
    dimensions: int
    embedded_at: int


@dataclass(frozen=True)
class Block:
    """A block that can be searched: a column a property of its turns, in the order of their seq.

    Parameters
    ----------
    seqs, items, created_at, tokens, digests, lengths
        As `Entry` has them; ``lengths`` are the numbers of their terms.
    hashes
        The terms of all of them, sorted.
    turns
        For each of ``hashes`` the turns that it occurs in: bit n for the turn at place n.
    signs
        Empty without vectors.
    vectors
        None without vectors.
    """

    seqs: array[int]
    items: array[int]
    created_at: array[int]
    tokens: array[int]
    digests: array[int]
    lengths: array[int]
    hashes: array[int]
    turns: array[int]
    signs: tuple[int, ...] = ()
    vectors: Vectors | None = None
    packed_bytes: int = field(default=0, compare=False)

    def __len__(self) -> int:
        return len(self.seqs)

    def where(self, term: int) -> int:
        """Tell in which turns a term occurs, by their bits."""
        place = bisect_left(self.hashes, term)
        return self.turns[place] if place < len(self.hashes) and self.hashes[place] == term else 0

    def entries(self) -> list[Entry]:
        """List what was packed."""
        terms: list[set[int]] = [set() for _ in self.seqs]
        for term, bits in zip(self.hashes, self.turns, strict=True):
            for place in range(bits.bit_length()):
                if bits >> place & 1:
                    terms[place].add(term)
        return [
            Entry(*numbers, frozenset(terms[place]), self.signs[place] if self.signs else None)
            for place, numbers in enumerate(
                zip(self.seqs, self.items, self.created_at, self.tokens, self.digests, strict=True)
            )
        ]


def cut(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Cut turns into what fits a block each, in the order of their seq."""
    groups: list[list[Entry]] = []
    words = 0
    for entry in sorted(entries, key=lambda entry: entry.seq):
        words += len(entry.terms)
        if not groups or len(groups[-1]) == MOST_TURNS or words > MOST_TERMS:
            groups.append([])
            words = len(entry.terms)
        groups[-1].append(entry)
    return groups


def build(entries: Iterable[Entry], vectors: Vectors | None) -> Block:
    """Make a block of up to 64 turns.

    Parameters
    ----------
    vectors
        What the entries' signs are of; None: they have none. An entry without signs makes a block without vectors.

    Raises
    ------
    ValueError
        For no turn, or too many.
    """
    placed = sorted(entries, key=lambda entry: entry.seq)
    if not 0 < len(placed) <= MOST_TURNS:
        raise ValueError("a block is of 1 to 64 turns")
    occurs: dict[int, int] = {}
    for place, entry in enumerate(placed):
        for term in entry.terms:
            occurs[term] = occurs.get(term, 0) | 1 << place
    found = [entry.signs for entry in placed if entry.signs is not None]
    whole = vectors is not None and len(found) == len(placed)
    hashes = sorted(occurs)
    return Block(
        seqs=array("I", [entry.seq for entry in placed]),
        items=array("H", [min(entry.items, _MOST) for entry in placed]),
        created_at=array("I", [entry.created_at for entry in placed]),
        tokens=array("H", [min(entry.tokens, _MOST) for entry in placed]),
        digests=array("I", [entry.digest for entry in placed]),
        lengths=array("H", [len(entry.terms) for entry in placed]),
        hashes=array("I", hashes),
        turns=array("Q", [occurs[term] for term in hashes]),
        signs=tuple(found) if whole else (),
        vectors=vectors if whole else None,
    )


def without(block: Block, gone: Callable[[Entry], bool]) -> Block | None:
    """Take turns out of a block; None when none is left."""
    left = [entry for entry in block.entries() if not gone(entry)]
    return build(left, block.vectors) if left else None


def pack(block: Block) -> bytes:
    """Write a block."""
    vectors = block.vectors or Vectors("", 0, 0)
    name = vectors.model.encode()
    head = _HEAD.pack(_VERSION, len(block), vectors.dimensions, vectors.embedded_at, len(block.hashes), len(name))
    width = (len(block) + 7) // 8
    planes = b"".join(
        [
            *(_planes(column) for column in _columns(block)),
            _planes(block.hashes, _HASH_BYTES),
            _planes(block.turns, width),
        ]
    )
    signs = b"".join(sign.to_bytes((vectors.dimensions + 7) // 8, "big") for sign in block.signs)
    return head + name + signs + zlib.compress(planes, 9)


def unpack(data: bytes) -> Block | None:
    """Read a block; None when it is of another version, or none at all."""
    try:
        version, turns, dimensions, embedded_at, words, named = _HEAD.unpack_from(data)
        if version != _VERSION or not 0 < turns <= MOST_TURNS:
            return None
        start = _HEAD.size + named
        model = data[_HEAD.size : start].decode()
        size = (dimensions + 7) // 8
        signs = (
            tuple(
                int.from_bytes(data[place : place + size], "big") for place in range(start, start + turns * size, size)
            )
            if size
            else ()
        )
        inflater = zlib.decompressobj()
        planes = inflater.decompress(data[start + turns * size :], _LARGEST)
    except (struct.error, zlib.error, UnicodeDecodeError):
        return None
    if not inflater.eof:
        return None
    read = _Reader(memoryview(planes))
    block = Block(
        seqs=read.array("I", turns),
        items=read.array("H", turns),
        created_at=read.array("I", turns),
        tokens=read.array("H", turns),
        digests=read.array("I", turns),
        lengths=read.array("H", turns),
        hashes=read.array("I", words, _HASH_BYTES),
        turns=read.array("Q", words, (turns + 7) // 8),
        signs=signs,
        vectors=Vectors(model, dimensions, embedded_at) if signs else None,
        packed_bytes=len(data),
    )
    return block if read.done else None


def _columns(block: Block) -> Sequence[array[int]]:
    return block.seqs, block.items, block.created_at, block.tokens, block.digests, block.lengths


def _planes(numbers: array[int], width: int = 0) -> bytes:
    data = _little(numbers).tobytes()
    return b"".join(data[plane :: numbers.itemsize] for plane in range(width or numbers.itemsize))


class _Reader:
    """Takes columns off the planes, one after the other."""

    def __init__(self, planes: memoryview) -> None:
        self._planes = planes
        self._place = 0

    def array(self, code: str, count: int, width: int = 0) -> array[int]:
        numbers: array[int] = array(code)
        data = bytearray(count * numbers.itemsize)
        for plane in range(width or numbers.itemsize):
            found = self._planes[self._place : self._place + count]
            self._place += count
            if len(found) == count:
                data[plane :: numbers.itemsize] = found
        numbers.frombytes(bytes(data))
        return _little(numbers)

    @property
    def done(self) -> bool:
        """Whether all was there, and nothing more."""
        return self._place == len(self._planes)


def _little(numbers: array[int]) -> array[int]:
    """Turn the bytes of each number around where the machine has them the other way."""
    if sys.byteorder == "big":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers
