"""Ids of conversations and items; an item's tells where the item stands."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_SEQ = 10**12 - 1


_CONVERSATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


_ITEM_PREFIX = re.compile(r"[a-z][a-z0-9]{0,15}")


_ITEM_ID = re.compile(r"[a-z][a-z0-9]{0,15}_([0-9a-f]{16})([0-9a-f]{12})")


_RESPONSE_ID = re.compile(r"resp_([0-9a-f]{16})([0-9a-f]{12})")


_INCARNATION = re.compile(r"[0-9a-f]{16}")


_ITEM_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
    "reasoning": "rs",
    "web_search_call": "ws",
    "file_search_call": "fs",
    "code_interpreter_call": "ci",
    "image_generation_call": "ig",
    "mcp_call": "mcp",
    "mcp_list_tools": "mcpl",
    "mcp_approval_request": "mcpr",
}


def is_conversation_id(text: object) -> TypeGuard[str]:
    """Whether a text may name a conversation: 1 to 128 of ``A-Z a-z 0-9 . _ : -``, but not ``.`` or ``..``."""
    return isinstance(text, str) and text not in {".", ".."} and _CONVERSATION_ID.fullmatch(text) is not None


def new_conversation_id() -> str:
    """Draw an id for a conversation that the caller does not name."""
    return f"conv_{secrets.token_hex(16)}"


def unnamed_conversation_id(incarnation: str) -> str:
    """Tell the id of a conversation that nobody has named: it goes on from a response, and no list shows it."""
    return f"conv_{_checked(incarnation)}"


def is_generated_id(conversation: str) -> bool:
    """Whether the id is of the form that only this service gives out."""
    return conversation.startswith("conv_")


def new_incarnation() -> str:
    """Draw what tells a conversation from an erased one of the same name."""
    return secrets.token_hex(8)


def item_prefix(item_type: str) -> str:
    """Prefix of an item's id: OpenAI's where it is known, else the letters and digits of the type."""
    known = _ITEM_PREFIXES.get(item_type)
    if known:
        return known
    letters = re.sub(r"[^a-z0-9]", "", item_type.lower()).lstrip("0123456789")
    return letters[:16] or "item"


def item_id(prefix: str, incarnation: str, seq: int) -> str:
    """Compose an item's id, which tells where the item stands: ``{prefix}_{incarnation}{seq, 12 hex digits}``.

    Raises
    ------
    ValueError
        If a part has not its form.
    """
    if not _ITEM_PREFIX.fullmatch(prefix) or not _INCARNATION.fullmatch(incarnation):
        raise ValueError("Not an item prefix and an incarnation.")
    return f"{prefix}_{incarnation}{check_seq(seq):012x}"


def id_of(item: Mapping[str, Any], incarnation: str, seq: int) -> str:
    """Compose the id of an item of OpenAI's at its place; one that names no type is a message."""
    return item_id(item_prefix(str(item.get("type", "message"))), incarnation, seq)


def parse_item_id(text: object) -> tuple[str, int] | None:
    """Read incarnation and seq from an item's id; None if this service never gave it out."""
    return _place(_ITEM_ID, text)


def response_id(incarnation: str, seq: int) -> str:
    """Compose the id of a turn's response: as an item's, with the seq of the turn's first item."""
    return f"resp_{_checked(incarnation)}{check_seq(seq):012x}"


def parse_response_id(text: object) -> tuple[str, int] | None:
    """Read incarnation and seq from a response's id; None if it cannot be of a response that is stored here."""
    return _place(_RESPONSE_ID, text)


def _place(form: re.Pattern[str], text: object) -> tuple[str, int] | None:
    match = form.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    seq = int(match[2], 16)
    return (match[1], seq) if seq <= _MAX_SEQ else None


def _checked(incarnation: str) -> str:
    if not _INCARNATION.fullmatch(incarnation):
        raise ValueError("Not an incarnation.")
    return incarnation


def check_seq(seq: int) -> int:
    """Give a seq back if twelve digits hold it.

    Raises
    ------
    ValueError
        If not.
    """
    if not 0 <= seq <= _MAX_SEQ:
        raise ValueError("A seq has up to twelve digits.")
    return seq


def fact_id(incarnation: str, seq: int, place: int) -> str:
    """Compose a fact's id: where the fold that found it ended, and the fact's place in its answer."""
    if not _INCARNATION.fullmatch(incarnation) or not 0 <= place < 256:
        raise ValueError("Not an incarnation and a place.")
    return f"fact_{incarnation}{check_seq(seq):012x}{place:02x}"
