"""A request as the stand-in reads it, whichever of OpenAI's endpoints it came by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from local.model.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Role = Literal["system", "user", "assistant", "tool"]

# What a part of a message that is no text is called in the text that the stand-in reads.
_PART_MARKS = {
    "input_image": "[image]",
    "image_url": "[image]",
    "input_file": "[file]",
    "file": "[file]",
    "input_audio": "[audio]",
}

_KINDS: dict[str, type] = {
    "include": list,
    "instructions": str,
    "reasoning": dict,
    "response_format": dict,
    "stream": bool,
    "stream_options": dict,
    "text": dict,
    "tools": list,
    "top_logprobs": int,
}


@dataclass(frozen=True)
class Message:
    """One message; a system message is one of role ``system`` or ``developer``."""

    role: Role
    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()  # id and function name of each tool call that it makes
    answers: str | None = None  # id of the tool call whose result it is


@dataclass(frozen=True)
class Function:
    """A function that the model may call; ``parameters`` is a JSON Schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OutputFormat:
    """The form that the reply's text is asked in."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    schema: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class Prompt:
    """What the stand-in answers: the messages, and what it may and must do."""

    messages: tuple[Message, ...]
    functions: tuple[Function, ...] = ()
    must_call: bool = False
    parallel: bool = True
    output_format: OutputFormat = OutputFormat()
    model: str = ""

    @property
    def question(self) -> str:
        """The text of the newest user message."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")

    @property
    def results(self) -> tuple[tuple[str, str], ...]:
        """The tool results that end the conversation, each with its function's name."""
        names = dict(call for message in self.messages for call in message.calls)
        found: list[tuple[str, str]] = []
        for message in reversed(self.messages):
            if message.role != "tool":
                break
            found.append((names.get(message.answers or "", "tool"), message.text))
        return tuple(reversed(found))


def fingerprint(body: Mapping[str, Any]) -> str:
    """Return the hash that a request's ids are made of; ``stream`` is not part of it."""
    asked = {key: value for key, value in body.items() if key not in {"stream", "stream_options"}}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def form_of(body: Mapping[str, Any]) -> str:
    """Return the name of the structured output that a request asks for, whatever the rest of it is."""
    text, chat = body.get("text"), body.get("response_format")
    asked = (
        text.get("format") if isinstance(text, dict) else chat.get("json_schema") if isinstance(chat, dict) else None
    )
    name = asked.get("name") if isinstance(asked, dict) else None
    return name if isinstance(name, str) else ""


def label(body: Mapping[str, Any]) -> str:
    """Return the model's name for an answer, which says that no real model gave it."""
    return f"offline stand-in ({body['model']})"


def read_model(body: Mapping[str, Any]) -> None:
    """Refuse a request that names no model, or has a value of the wrong kind where the stand-in looks into it."""
    for name, kind in _KINDS.items():
        if not isinstance(body.get(name), kind | None):
            raise bad_request("The value is of the wrong type.", name, "invalid_type")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise bad_request("You must provide a model.", "model", "missing_required_parameter")


def read_limit(body: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these limits that is given; at least 1."""
    for name in names:
        limit = body.get(name)
        if limit is None:
            continue
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise bad_request("The value must be an integer of at least 1.", name)
        return limit
    return None


def read_role(message: Mapping[str, Any], param: str) -> Role:
    """Return a message's role; a developer's message is a system message."""
    name = message.get("role")
    role = next((role for role in get_args(Role) if role == name), None)
    if role is None and name != "developer":
        raise bad_request("The role of a message is unknown.", f"{param}.role")
    return role or "system"


def read_text(content: object, param: str) -> str:
    """Return the text of a message's content, a string or a list of parts, with a mark for each other part."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise bad_request("A message's content is a string or a list of parts.", param, "invalid_type")
    return "\n".join(_part_text(part) for part in content)


def _part_text(part: Mapping[str, Any]) -> str:
    kind = str(part.get("type"))
    return str(part.get("text") or part.get("refusal") or _PART_MARKS.get(kind) or f"[{kind}]")


def read_functions(tools: Sequence[object], choice: object) -> tuple[tuple[Function, ...], bool]:
    """Return the functions that may be called, and whether one must be.

    Parameters
    ----------
    tools, choice
        ``tools`` and ``tool_choice`` in the form of the Responses API.
    """
    functions = {
        tool["name"]: Function(tool["name"], tool.get("description") or "", tool.get("parameters") or {})
        for tool in tools
        if isinstance(tool, dict) and tool.get("type") == "function" and isinstance(tool.get("name"), str)
    }
    if choice == "none":
        return (), False
    if not isinstance(choice, dict):
        return tuple(functions.values()), choice == "required"
    named: list[Mapping[str, Any]] = choice.get("tools", []) if choice.get("type") == "allowed_tools" else [choice]
    names = [tool.get("name") for tool in named if tool.get("type") == "function"]
    missing = [name for name in names if name not in functions]
    if missing:
        raise bad_request("'tool_choice' names a function that is not in 'tools'.", "tool_choice")
    must_call = choice.get("mode") == "required" or choice.get("type") == "function"
    return tuple(functions[str(name)] for name in names), must_call


def check_tool_pairs(messages: Sequence[Message], param: str) -> None:
    """Refuse, as OpenAI does, a tool result without its call before it and a call without its result."""
    open_calls: set[str] = set()
    for message in messages:
        open_calls.update(call_id for call_id, _ in message.calls)
        if message.role == "tool":
            if message.answers not in open_calls:
                raise bad_request("A tool result has no call of its id before it.", param)
            open_calls.remove(message.answers)
    if open_calls:
        raise bad_request("A tool call has no result after it.", param)
