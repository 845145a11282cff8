"""What the core asks of the outside: frozen records and protocols, with no vendor in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chat_core.canonical import Endpoint
    from chat_core.messages import Item, Turn

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
    turn_id
        Of the turn.
    fingerprint
        SHA-256 of the request, hex.
    committed_at
        Seconds since the epoch.
    first_seq, last_seq
        The turn's items in the history, both inclusive.
    inputs
        How many of them are the caller's input; the rest are the model's output.
    frame
        The answer without its items: id, model, times, usage and our own members.
    """

    turn_id: str
    fingerprint: str
    committed_at: float
    first_seq: int
    last_seq: int
    inputs: int
    frame: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """A conversation as its head row tells it.

    Parameters
    ----------
    conversation
        Its id.
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
    window_start, window_position
        Where the memory window starts, as the last commit kept it: the seq of its first item (0: the conversation's
        first, -1: not known, since the settings changed) and what precedes that in the policy's unit.
    edits
        How often items were deleted: with ``incarnation`` and ``seq`` it names one state of the history, and a
        copy made of another state is not believed.
    title
        The conversation's first words, for lists.
    last
        The last turn, None before the first.
    lease
        Who runs a turn right now, or None.
    """

    conversation: str
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
    window_start: int = 0
    window_position: int = 0
    edits: int = 0
    title: str = ""
    last: LastTurn | None = None
    lease: Lease | None = None


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
class IdempotencyRecord:
    """What a request with an idempotency key led to.

    Parameters
    ----------
    fingerprint
        SHA-256 of the request, hex.
    conversation, incarnation
        What it wrote to.
    first_seq, last_seq, inputs
        As in `LastTurn`; 0 where the request added no items.
    frame
        The answer without its items.
    expires_at
        Seconds since the epoch.
    """

    fingerprint: str
    conversation: str
    incarnation: str
    first_seq: int
    last_seq: int
    inputs: int
    frame: Mapping[str, Any]
    expires_at: int


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's idempotency key: unique per user and route."""

    route: str
    key: str

    @property
    def digest(self) -> str:
        """A short name for the key that shows nothing of it."""
        return sha256(f"{self.route}\n{self.key}".encode()).hexdigest()[:32]


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
        The answer without its items; empty for items that a caller appends without a turn.
    system
        The pinned system message from now on.
    window_start, window_position
        Of the memory window from now on.
    title
        The conversation's title from now on.
    idempotency
        The key to record the turn under, or None.
    """

    turn: Turn
    inputs: int
    messages: int
    fingerprint: str = ""
    frame: Mapping[str, Any] = field(default_factory=dict)
    system: Item | None = None
    window_start: int = 0
    window_position: int = 0
    title: str = ""
    idempotency: IdempotencyKey | None = None


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list: what stands on it, and whether more follows."""

    data: tuple[T, ...]
    has_more: bool


class HistoryStore(Protocol):
    """The durable history: the source of truth and of order.

    Every call takes the user first, from the authorizer's claims. Every call raises `StoreUnavailable` when the
    store cannot be reached or refuses for load.
    """

    async def take_lease(self, user: str, conversation: str, lease: Lease, *, create: bool) -> Head:
        """Take the turn lease in one conditional update and return the head as it is then.

        Parameters
        ----------
        create
            Whether a conversation that does not exist is to be made; it stays invisible until a turn is committed.

        Raises
        ------
        NotFound
            If the conversation does not exist and is not to be created.
        IdempotencyInProgress
            If that turn runs under this lease's idempotency key; ``retry_after_ms`` is when its lease expires.
        ConversationLocked
            If another turn holds a lease that has not expired; ``retry_after_ms`` is when it does.
        """
        ...

    async def release_lease(self, user: str, head: Head, token: str) -> None:
        """Give the lease back if it is still this token's; take back a conversation that no turn has made visible."""
        ...

    async def commit(self, user: str, head: Head, commit: Commit, *, token: str | None) -> Head:
        """Append the turn's items behind the head's seq, with the head and the idempotency record, at once.

        Parameters
        ----------
        head
            As it was read: the commit is conditional on its incarnation and seq.
        token
            The lease to check and clear; None appends without one and leaves another's lease alone.

        Returns
        -------
        Head
            The new head. The items have the places ``head.seq + 1`` to the new ``seq``; ``edits`` is what the caller
            knew, so that what it remembers is not believed when items were deleted meanwhile.

        Raises
        ------
        CommitConflict
            If the head is another one by now.
        NotFound
            If the conversation was erased.
        IdempotencyKeyReused
            If the key has a record already.
        RequestTooLarge
            If the frame or the system message is larger than a row of the store.
        """
        ...

    async def get_head(self, user: str, conversation: str) -> Head:
        """Read the head, strongly consistent.

        Raises
        ------
        NotFound
            If there is no such conversation, or no turn has made it visible.
        """
        ...

    async def tail(self, user: str, head: Head, *, before: int, limit: int) -> tuple[StoredItem, ...]:
        """Read up to ``limit`` items with a seq below ``before`` and at most ``head.seq``, the newest, in order."""
        ...

    async def read_items(self, user: str, head: Head, first: int, last: int) -> tuple[StoredItem, ...]:
        """Read the items from seq ``first`` to ``last``, both inclusive, in order."""
        ...

    async def idempotency_record(self, user: str, key: IdempotencyKey) -> IdempotencyRecord | None:
        """Read what a request under this key led to; None when there is none or it has expired."""
        ...

    async def create_conversation(
        self,
        user: str,
        head: Head,
        commit: Commit | None,
        *,
        idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None = None,
    ) -> Head:
        """Create a conversation, with its first items if there are any, at once.

        Parameters
        ----------
        commit
            The first items; its own ``idempotency`` is not looked at.
        idempotency
            The record to write with them.

        Raises
        ------
        CommitConflict
            If there is a conversation of this id.
        IdempotencyKeyReused
            If the key has a record already.
        RequestTooLarge
            As for `commit`.
        """
        ...

    async def update_conversation(
        self,
        user: str,
        head: Head,
        *,
        metadata: Mapping[str, str] | None,
        memory: Mapping[str, Any] | None,
        idempotency: tuple[IdempotencyKey, IdempotencyRecord] | None = None,
    ) -> Head:
        """Replace what is not None, conditional on the incarnation; with the settings goes ``window_start``.

        Parameters
        ----------
        idempotency
            The record to write with it.

        Raises
        ------
        NotFound
            If the conversation was erased.
        IdempotencyKeyReused
            If the key has a record already.
        """
        ...

    async def list_conversations(self, user: str, *, limit: int, after: str | None, order: Order) -> Page[Head]:
        """List the user's conversations by last activity: a query on the index, never a scan.

        The heads hold what a list shows: id, incarnation, times, counts, title, metadata and memory settings.

        Raises
        ------
        InvalidRequest
            If ``after`` is no conversation of the user's.
        """
        ...

    async def list_items(
        self, user: str, head: Head, *, limit: int, after: int | None, order: Order, max_bytes: int
    ) -> Page[StoredItem]:
        """List items by place, bounded by count and by bytes of JSON in UTF-8; at least one when there is one."""
        ...

    async def get_item(self, user: str, head: Head, seq: int) -> StoredItem:
        """Read one item.

        Raises
        ------
        NotFound
            If there is none at this place.
        """
        ...

    async def delete_items(
        self,
        user: str,
        head: Head,
        seqs: Sequence[int],
        *,
        messages: int,
        unpin: bool = False,
        pinned: StoredItem | None = None,
        title: str | None = None,
    ) -> Head:
        """Delete items and count them off the head, ``messages`` fewer elements of the hot list, at once.

        Parameters
        ----------
        unpin
            Whether the pinned system message is among them.
        pinned
            The item that is pinned instead, or None.
        title
            The conversation's title from now on; None leaves it.

        Returns
        -------
        Head
            As it is then. Items that are not there are not counted, and change nothing.

        Raises
        ------
        NotFound
            If the conversation was erased.
        CommitConflict
            If the head moved since it was read and what is pinned or the title was to change with it.
        """
        ...

    async def erase(self, user: str, conversation: str) -> Mapping[str, int]:
        """Remove every row of the conversation, the head first, so that nobody finds it half erased.

        Returns
        -------
        Mapping
            How many rows went, by kind: ``conversations``, ``items``, ``idempotency_records``.

        Raises
        ------
        NotFound
            If nothing is left of it.
        """
        ...


class MemoryStore(Protocol):
    """The hot copies of a conversation in the cache: a packed memory value and the list that LangChain reads.

    Every call raises `CacheUnavailable`; nothing here is ever the truth.
    """

    async def read_memory(self, user: str, conversation: str, *, timeout: float) -> bytes | None:
        """Read the packed memory value; ``timeout`` in seconds."""
        ...

    async def write_memory(self, user: str, conversation: str, value: bytes, *, timeout: float) -> None:
        """Replace the packed memory value."""
        ...

    async def append_history(
        self, user: str, conversation: str, elements: Sequence[str], *, keep: int, timeout: float
    ) -> int:
        """Append to the hot list, cut it to its newest ``keep``, and return its length. Never retried."""
        ...

    async def replace_history(self, user: str, conversation: str, elements: Sequence[str], *, timeout: float) -> None:
        """Write the hot list anew."""
        ...

    async def forget(self, user: str, conversation: str, *, timeout: float) -> None:
        """Delete the hot list and the memory value."""
        ...


class ResponseCache(Protocol):
    """The model's replies by the hash of the request. Every call raises `CacheUnavailable`."""

    async def get(self, key: str, *, timeout: float) -> bytes | None:
        """Read a value; ``timeout`` in seconds."""
        ...

    async def set(self, key: str, value: bytes, *, ttl: float, timeout: float) -> None:
        """Write a value for ``ttl`` seconds."""
        ...

    async def set_if_absent(self, key: str, value: bytes, *, ttl: float, timeout: float) -> bool:
        """Write a value for ``ttl`` seconds unless there is one, and tell whether it was written. Never retried."""
        ...

    async def delete(self, key: str, *, timeout: float) -> None:
        """Delete a value, if there is one."""
        ...


class ChatModel(Protocol):
    """The model's provider."""

    async def post(self, endpoint: Endpoint, body: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
        """Ask one of OpenAI's endpoints, and return its answer complete.

        Parameters
        ----------
        endpoint
            ``responses``, ``chat/completions`` or ``embeddings``.
        body
            OpenAI's request, sent as it is.
        timeout
            Seconds that the whole call may take, its retries included.

        Raises
        ------
        UpstreamRejected, UpstreamError, UpstreamTimeout
            See there.
        """
        ...
