"""A chat completion put together from the chunks in which it is streamed: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a delta repeats or replaces; its other texts continue those before.
_REPLACED = frozenset(("finish_reason", "id", "index", "name", "role", "type"))


class AssembledCompletion:
    """The completion of a stream, as far as it has come."""

    def __init__(self) -> None:
        self._frame: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}
        self._usage: Any = None

    def add(self, chunk: Mapping[str, Any]) -> None:
        """Add a chunk of OpenAI's Chat Completions API.

        Raises
        ------
        TypeError, KeyError, AttributeError
            If it is none.
        """
        self._usage = chunk.get("usage") or self._usage
        self._frame.update(
            {
                name: value
                for name, value in chunk.items()
                if name not in ("choices", "object", "usage", "obfuscation") and value is not None
            }
        )
        for part in chunk["choices"]:
            choice = self._choices.setdefault(part["index"], _nothing_yet(part["index"]))
            _merge(choice["message"], part.get("delta") or {})
            if part.get("logprobs") is not None:
                choice["logprobs"] = _joined(choice["logprobs"], part["logprobs"])
            _merge(choice, {name: value for name, value in part.items() if name not in ("delta", "logprobs")})

    def completion(self) -> dict[str, Any] | None:
        """Return the completion; None where a choice has not come to its end."""
        choices = [choice for _, choice in sorted(self._choices.items())]
        if not choices or any(choice["finish_reason"] is None for choice in choices):
            return None
        for choice in choices:
            for call in choice["message"].get("tool_calls") or ():
                call.pop("index", None)
        whole = {**self._frame, "object": "chat.completion", "choices": choices}
        return whole if self._usage is None else {**whole, "usage": self._usage}


def _nothing_yet(index: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, "annotations": []}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": None}


def _merge(whole: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Add a delta: texts continue, numbered lists are merged by number, other lists grow, all else is replaced."""
    for name, value in delta.items():
        before = whole.get(name)
        if value is None:
            whole.setdefault(name, None)
        elif isinstance(value, dict):
            whole[name] = before if isinstance(before, dict) else {}
            _merge(whole[name], value)
        elif isinstance(value, list):
            whole[name] = _grown(before if isinstance(before, list) else [], value)
        elif isinstance(value, str) and isinstance(before, str) and name not in _REPLACED:
            whole[name] = before + value
        else:
            whole[name] = value


def _grown(before: list[Any], more: list[Any]) -> list[Any]:
    for entry in more:
        if not isinstance(entry, dict) or "index" not in entry:
            before.append(entry)
            continue
        same = next((one for one in before if one.get("index") == entry["index"]), None)
        if same is None:
            same = {}
            before.append(same)
        _merge(same, entry)
    return before


def _joined(before: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Join log-probabilities; a kind without any is null."""
    names = {**(before or {}), **more}
    return {name: [*((before or {}).get(name) or ()), *(more.get(name) or ())] or None for name in names}
