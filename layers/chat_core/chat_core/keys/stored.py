"""Keys of a conversation's rows in the table and of its copies in the cache."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from chat_core.keys.canonical import canonical_value
from chat_core.keys.ids import check_seq, is_conversation_id, unnamed_conversation_id

HEAD = "head"
"""Sort key of a conversation's head row."""

MEMORY = "memory"
"""Sort key of what long-term memory holds of a conversation."""

DUE = "due"
"""Sort key of the row that says that there is work for long-term memory."""

QUIET = "quiet"
"""Sort key of the row that says that there is as soon as the conversation has come to rest."""

DUE_OWNER = "\x1fdue"
"""Owner of those rows on the index; no user's, since no claim holds a control character."""

NAME = "conversation"
"""Sort key of the row, beside its responses, that names the conversation of an incarnation."""

FACTS = "fact#"
"""What the sort keys of facts begin with."""

RECALL = "recall#"
"""What the sort keys of the index begin with."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a conversation is: whose, and which. Made once at the edge, and the only way to a store.

    Parameters
    ----------
    user
        From the authorizer's claims, never from a request's body.
    conversation
        Its id.

    Raises
    ------
    ValueError
        If there is no user, or the conversation's id is none.
    """

    user: str
    conversation: str

    def __post_init__(self) -> None:
        if not self.user:
            raise ValueError("A user is needed.")
        if not is_conversation_id(self.conversation):
            raise ValueError("Not a conversation id.")

    @property
    def session_id(self) -> str:
        """One text for both; injective, since a conversation id holds no slash."""
        return f"{self.user}/{self.conversation}"


def unfinished_owner(user: str) -> str:
    """Under whom the index keeps what no list shows of a user's: a conversation that is begun, or half erased.

    No user's name holds a line break, so it is nobody's own.
    """
    return f"{user}\nunfinished"


def unnamed_owner(user: str) -> str:
    """Under whom the index keeps a user's responses without a conversation, and conversations that nobody has named."""
    return f"{user}\nunnamed"


def unnamed_address(user: str, incarnation: str) -> Address:
    """Tell where the conversation is that goes on from a response without one: nobody is told its name."""
    return Address(user, unnamed_conversation_id(incarnation))


def history_list_key(address: Address) -> str:
    """Key of the hot history: what LangChain's ``MomentoChatMessageHistory`` makes of the session id."""
    return f"message_store:{address.session_id}"


def memory_key(address: Address) -> str:
    """Key of the packed memory value."""
    return f"memory:{address.session_id}"


def partition_key(address: Address) -> str:
    """Partition key of a conversation's rows."""
    return address.session_id


def responses_partition_key(user: str, incarnation: str) -> str:
    """Partition key of an incarnation's responses; never a conversation's, whose id holds no ``#``."""
    if not user:
        raise ValueError("A user is needed.")
    return f"{user}/responses#{incarnation}"


def response_sort_key(seq: int, part: int | None = None) -> str:
    """Sort key of a response's row, by the seq of its turn's first item, or of a further row of one too large."""
    begin = f"response#{check_seq(seq):012d}"
    return begin if part is None else f"{begin}#{part:04d}"


def idempotency_partition_key(user: str, route: str, key: str) -> str:
    """Partition key of an idempotency record; never a conversation's, whose id holds no ``#``."""
    if not user:
        raise ValueError("A user is needed.")
    return f"{user}/idempotency#{sha256(canonical_value([route, key])).hexdigest()}"


def item_sort_key(seq: int) -> str:
    """Sort key of an item's row: the order of the texts is that of the places."""
    return f"item#{check_seq(seq):012d}"


def part_sort_key(seq: int, part: int) -> str:
    """Sort key of a further row of an item too large for one: right behind the item's own."""
    if not 0 <= part <= 9999:
        raise ValueError("A part's number has up to four digits.")
    return f"{item_sort_key(seq)}#{part:04d}"


def recall_sort_key(seq: int) -> str:
    """Sort key of a block of the index, by the seq of its first turn."""
    return f"{RECALL}{check_seq(seq):012d}"


def facts_partition_key(user: str) -> str:
    """Partition key of what is known about a user; never a conversation's, whose id holds no ``#``."""
    if not user:
        raise ValueError("A user is needed.")
    return f"{user}/facts#"


def facts_sort_key(address: Address, incarnation: str = "", last: int | None = None) -> str:
    """Sort key of what a fold found up to a seq; without it, what the keys of the conversation's begin with."""
    begin = f"{FACTS}{address.conversation}#"
    return begin if last is None else f"{begin}{incarnation}#{check_seq(last):012d}"


def correction_sort_key(address: Address, fact: str = "", number: str = "") -> str:
    """Sort key of a person's correction of a fact; without one, what the keys of the conversation's begin with."""
    begin = f"correction#{address.conversation}#"
    return f"{begin}{fact}#{number}" if fact else begin


def tombstone_sort_key(digest: str = "") -> str:
    """Sort key of what is to be forgotten; without a digest, what all such keys begin with."""
    return f"forgotten#{digest}"


def api_key_partition_key(digest: str) -> str:
    """Partition key of an API key's row; never a user's, whose keys all hold a slash.

    Parameters
    ----------
    digest
        SHA-256 of the key, hex.
    """
    return f"key#{digest}"
