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
        What `read_content` needs beside it: ``form`` (``null``, ``string``, ``parts`` or ``value``) where it is not
        the usual one, ``parts`` where a part is not as usual.
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


def read_content(written: str | list[Any], role: Role, ours: Mapping[str, Any], *, calls: bool) -> Any:
    """Read what `write_content` wrote: parts as a tuple.

    Raises
    ------
    ValueError
        If ``ours`` does not fit the content.
    """
    form = ours.get("form") or _usual_form(written, role, calls=calls)
    if form == "null":
        return None
    if form == "string" and isinstance(written, str):
        return written
    if form == "value" and isinstance(written, list) and len(written) == 1:
        return _read_part(written[0], role, None)
    if form != "parts":
        raise ValueError("A content in a form that this version does not know.")
    parts: list[Any] = [{"type": "text", "text": written}] if isinstance(written, str) else written
    own = ours.get("parts") or [None] * len(parts)
    if not isinstance(own, list):
        raise ValueError("Not what was written beside the parts.")  # noqa: TRY004 - bad data
    return tuple(_read_part(part, role, kept) for part, kept in zip(parts, own, strict=True))


def _usual_form(written: str | list[Any], role: Role, *, calls: bool) -> str:
    if isinstance(written, list):
        return "parts"
    if role == "tool":
        return "string"
    return "null" if not written and (calls or role not in _MESSAGES) else "parts"


def _write_part(part: Any, role: Role) -> tuple[Any, Any]:
    """Write a part, and what `_read_part` needs to know: None, True for a part kept as it is, or a text's rest."""
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


def _read_part(part: Any, role: Role, own: object) -> Any:
    if own is True or not isinstance(part, dict):
        return part
    if isinstance(own, dict):
        return {**own, "text": part.get("text")}
    kind, image = part.get("type"), part.get("image_url")
    if kind == "text" and isinstance(part.get("text"), str):
        rest = _usual_rest(role)
        return {**rest, **part, "type": rest["type"]}
    if kind == "image_url" and isinstance(image, dict) and {"url"} <= image.keys() <= {"url", "detail"}:
        detail = {"detail": image["detail"]} if "detail" in image else {}
        return {"type": "input_image", "image_url": image["url"], **detail}
    return part["value"] if kind == "non_standard" and part.keys() == {"type", "value"} else part


def _usual_rest(role: Role) -> dict[str, Any]:
    """Give the members of a stored text part beside its text."""
    if role == "assistant":
        return {"type": "output_text", "annotations": [], "logprobs": []}
    return {"type": "input_text"}


def _non_standard(value: Any) -> dict[str, Any]:
    return {"type": "non_standard", "value": value}
