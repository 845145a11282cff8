"""What the durable history holds, as frozen records with no vendor in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from chat_core.keys import Address
from chat_core.messages import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.messages import Anchor, Item, Turn


Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run the one turn of a conversation.

    Parameters
    ----------
    token
        Random; whoever holds it may commit and release.
    expires_at
        Seconds since the epoch; a little after the function's own timeout.
    idempotency_key
        Digest of the key of the request that runs, empty without one.
    """

    token: str
    expires_at: float
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class LastTurn:
    """What is known of a conversation's last turn: enough to answer a client's own retry of it.

    Parameters
    ----------
    fingerprint
        SHA-256 of the request, hex.
    committed_at
        Seconds since the epoch.
    first_seq, last_seq
        The turn's items in the history, both inclusive.
    inputs
        How many of them are the caller's input; the rest are the model's output. The first names the stored response.
    """

    fingerprint: str
    committed_at: float
    first_seq: int
    last_seq: int
    inputs: int


@dataclass(frozen=True, slots=True)
class Unfolded:
    """How much of a history no summary covers yet: an estimate, which each fold corrects.

    Parameters
    ----------
    bytes
        Of its texts, and a little for each message.
    messages
        How many.
    """

    bytes: int = 0
    messages: int = 0

    def __add__(self, other: Unfolded) -> Unfolded:
        return Unfolded(self.bytes + other.bytes, self.messages + other.messages)

    def __sub__(self, other: Unfolded) -> Unfolded:
        return Unfolded(self.bytes - other.bytes, self.messages - other.messages)


NOTHING_UNFOLDED = Unfolded()


@dataclass(frozen=True, slots=True)
class Head:
    """A conversation as its head row tells it.

    Parameters
    ----------
    address
        Whose it is, and its id.
    incarnation
        16 hex digits, drawn when the conversation was created: an erased and recreated one is another one.
    seq
        Place of the last item, 0 when there is none. Readers stop here.
    created_at, updated_at
        Seconds since the epoch.
    items, messages, turns
        Counts over the whole history. ``messages`` counts elements of the hot list.
    metadata
        OpenAI's metadata.
    memory
        The stored memory settings; empty when the default holds.
    system
        The pinned system message as a stored item, or None.
    anchor
        Where the memory window starts, as the last commit kept it; None where that is not known, since the settings
        changed: the next commit sets a new one.
    edits
        How often items were deleted, or what was made of them forgotten: with ``incarnation`` and ``seq`` it names one
        state of the history, and a copy made of another state is not believed.
    folds
        How often long-term memory was written: with ``edits`` it names one state of that.
    unfolded
        What no fold has taken in.
    fold_after
        No fold before this time, in seconds since the epoch: the last ones failed.
    title
        The conversation's first words, for lists.
    last
        The last turn, None before the first.
    ends_at
        When all of it expires, in seconds since the epoch, if nobody has named it: no list shows it, and no turn makes
        it last longer. None for every other one.
    origins
        What it branched off from, the nearest last: by its incarnation, the place up to which both have the same items.
    """

    address: Address
    incarnation: str
    seq: int = 0
    created_at: int = 0
    updated_at: float = 0
    items: int = 0
    messages: int = 0
    turns: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    system: Item | None = None
    anchor: Anchor | None = BEGINNING
    edits: int = 0
    folds: int = 0
    unfolded: Unfolded = NOTHING_UNFOLDED
    fold_after: float = 0.0
    title: str = ""
    last: LastTurn | None = None
    ends_at: int | None = None
    origins: Mapping[str, int] = field(default_factory=dict)

    @property
    def conversation(self) -> str:
        """The conversation's id."""
        return self.address.conversation


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item of the history.

    Parameters
    ----------
    seq
        Its place, counted from 1.
    turn_id
        The turn that brought it.
    created_at
        Seconds since the epoch.
    item
        OpenAI's JSON, with the id that encodes incarnation and seq.
    """

    seq: int
    turn_id: str
    created_at: int
    item: Item


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's idempotency key: one user's, for one route."""

    user: str
    route: str
    key: str

    @property
    def digest(self) -> str:
        """A short name for the key that shows nothing of it."""
        return sha256(f"{self.route}\n{self.key}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What a request with an idempotency key led to.

    Parameters
    ----------
    key
        The request's.
    fingerprint
        SHA-256 of the request, hex.
    conversation, incarnation
        What it wrote to.
    first_seq, last_seq, inputs
        As in `LastTurn`; 0 where the request added no items.
    expires_at
        Seconds since the epoch.
    snapshot
        What it was answered with, where that is neither a response nor items.
    """

    key: IdempotencyKey
    fingerprint: str
    conversation: str
    incarnation: str
    first_seq: int
    last_seq: int
    inputs: int
    expires_at: int
    snapshot: Mapping[str, Any] = field(default_factory=dict)

    @property
    def address(self) -> Address:
        """Of the conversation that it wrote to."""
        return Address(self.key.user, self.conversation)


@dataclass(frozen=True, slots=True)
class Commit:
    """One turn's change of a conversation, made whole or not at all.

    Parameters
    ----------
    turn
        Its items.
    inputs
        How many of them are the caller's input.
    messages
        How many elements it adds to the hot list.
    fingerprint
        SHA-256 of the request, hex.
    frame
        The answer without its items and its id; empty for items that a caller appends without a turn.
    kept_until
        When the stored response expires, in seconds since the epoch.
    shown
        See `StoredResponse`.
    system
        The pinned system message from now on.
    anchor
        Where the memory window starts from now on; see `Head`.
    title
        The conversation's title from now on.
    record
        What to write under the caller's key, or None.
    unfolded
        What it adds to the head's.
    due
        Whether it makes a fold due: the work to do is written with it.
    quiet_from
        From when on to look whether the conversation has come to rest, in seconds since the epoch; None: not at all,
        or somebody does.
    """

    turn: Turn
    inputs: int
    messages: int
    fingerprint: str = ""
    frame: Mapping[str, Any] = field(default_factory=dict)
    kept_until: int = 0
    shown: bool = True
    system: Item | None = None
    anchor: Anchor | None = BEGINNING
    title: str = ""
    record: IdempotencyRecord | None = None
    unfolded: Unfolded = NOTHING_UNFOLDED
    due: bool = False
    quiet_from: float | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """Items that go, and what of the head was made of them.

    Parameters
    ----------
    seqs
        Their places.
    messages
        How many elements fewer the hot list has.
    unpin
        Whether the pinned system message is among them.
    pinned
        The item that is pinned instead, or None.
    title
        The conversation's title from now on; None leaves it.
    """

    seqs: Sequence[int]
    messages: int
    unpin: bool = False
    pinned: StoredItem | None = None
    title: str | None = None

    @property
    def changes_head(self) -> bool:
        """Whether the head must be the one that was read."""
        return self.unpin or self.title is not None


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list: what stands on it, and whether more follows."""

    data: tuple[T, ...]
    has_more: bool
