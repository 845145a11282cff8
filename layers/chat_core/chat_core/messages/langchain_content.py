"""Contents as LangChain's: a text where there is but one, otherwise parts that LangChain's readers know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chat_core.messages.message import Role

_TEXT_TYPES = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
_MESSAGES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Written:
    """A content in LangChain's form.

    Parameters
    ----------
    content
        LangChain's.
    ours
        What a reader needs beside it to have the same content again: ``form`` (``null``, ``string``, ``parts`` or
        ``value``) where it is not the usual one, ``parts`` where a part is not as usual.
    """

    content: str | list[Any]
    ours: dict[str, Any]


def write_content(content: Any, role: Role, *, calls: bool) -> Written:
    """Write a content: one plain text part as a text, more of them as a list.

    Parameters
    ----------
    content
        A text, content parts, None, or whatever else a tool gave as its output.
    calls
        Whether the message asks for tool calls.
    """
    written: str | list[Any]
    parts: Sequence[Any] = ()
    if content is None:
        written, form = "", "null"
    elif isinstance(content, str):
        written, form = content, "string"
    elif isinstance(content, list | tuple):
        pairs = [_write_part(part, role) for part in content]
        written, form = [part for part, _ in pairs], "parts"
        parts = [own for _, own in pairs]
        if len(written) == 1 and isinstance(written[0], dict) and written[0].keys() == {"type", "text"}:
            written = str(written[0]["text"])
    else:
        written, form = [_non_standard(content)], "value"
    ours: dict[str, Any] = {}
    if form != _usual_form(written, role, calls=calls):
        ours["form"] = form
    if any(parts):
        ours["parts"] = parts
    return Written(written, ours)


def _usual_form(written: str | list[Any], role: Role, *, calls: bool) -> str:
    if isinstance(written, list):
        return "parts"
    if role == "tool":
        return "string"
    return "null" if not written and (calls or role not in _MESSAGES) else "parts"


def _write_part(part: Any, role: Role) -> tuple[Any, Any]:
    """Write a part, and what a reader needs to know: None, True for a part kept as it is, or a text's rest."""
    if isinstance(part, str):
        return part, None
    if not isinstance(part, Mapping):
        return _non_standard(part), None
    kind = part.get("type")
    if kind in _TEXT_TYPES and isinstance(part.get("text"), str):
        rest = {name: value for name, value in part.items() if name != "text"}
        return {"type": "text", "text": part["text"]}, None if rest == _usual_rest(role) else rest
    if (
        kind == "input_image"
        and isinstance(part.get("image_url"), str)
        and part.keys() <= {"type", "image_url", "detail"}
    ):
        detail = {"detail": part["detail"]} if "detail" in part else {}
        return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}, None
    return dict(part), kind in ("text", "image_url", "non_standard") or None


def _usual_rest(role: Role) -> dict[str, Any]:
    """Give the members of a stored text part beside its text."""
    if role == "assistant":
        return {"type": "output_text", "annotations": [], "logprobs": []}
    return {"type": "input_text"}


def _non_standard(value: Any) -> dict[str, Any]:
    return {"type": "non_standard", "value": value}
