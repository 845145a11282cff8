"""What messages, tools and images cost in tokens, by OpenAI's published rules, exact and offline.

Rules: OpenAI's cookbook, "How to count tokens with tiktoken", for messages, names and tool definitions; its guide
"Images and vision" for images. OpenAI publishes none for tool calls and their results: a call is counted as its name
and arguments, a result as its text and 3 for the id. What no rule and no text tells (reasoning, files) counts nothing.

No vocabulary is loaded before a text has to be counted exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from chat_core.memory import Counting
from chat_core.model import model_of
from chat_core.tokens.images import image_tokens

if TYPE_CHECKING:
    from chat_core.messages import Content, Message
    from chat_core.model import Encoding, Model

REQUEST_TOKENS = 3
"""Every reply is primed with ``<|start|>assistant<|message|>``."""

_MESSAGE_TOKENS = 3
_ROLE_TOKENS = 1
_NAME_TOKENS = 1
_CALL_ID_TOKENS = 3

_FUNCTION, _FUNCTION_CL100K, _FUNCTIONS_END = 7, 10, 12
_PROPERTIES, _PROPERTY, _ENUM, _ENUM_ITEM = 3, 3, -3, 3

_TEXT_PARTS = frozenset({"input_text", "output_text", "text", "summary_text"})
_IMAGE_PARTS = frozenset({"input_image", "image_url"})

_CountText = Callable[[str], int]


class TokenCounter(Protocol):
    """Counts for one model."""

    @property
    def encoding(self) -> Encoding:
        """The encoding that counts."""
        ...

    @property
    def known(self) -> bool:
        """Whether it is the model's own; otherwise the model is unknown, and the encoding that of current models."""
        ...

    def text(self, text: str) -> int:
        """Count a text."""
        ...

    def message(self, message: Message) -> int:
        """Count a message as a part of a request."""
        ...

    def at_most(self, message: Message) -> int:
        """Bound a message from above without a vocabulary: a text has at most as many tokens as bytes."""
        ...

    def tools(self, tools: Sequence[Mapping[str, Any]]) -> int:
        """Count tool definitions, in the form of either API."""
        ...

    def tools_at_most(self, tools: Sequence[Mapping[str, Any]]) -> int:
        """Bound tool definitions from above without a vocabulary."""
        ...


def counter_for(model: str) -> TokenCounter:
    """Give the counter for a model, by its name."""
    return _ModelCounter(model_of(model))


def context_window(model: str) -> int | None:
    """Tell how many tokens a model takes, its answer included; None for a model that is not known here."""
    return model_of(model).context_window


class _ModelCounter:
    def __init__(self, model: Model) -> None:
        self._images = model.images
        self.encoding = model.encoding
        self.known = model.known

    def text(self, text: str) -> int:
        from chat_core.tokens.vocabulary import vocabulary

        return vocabulary(self.encoding).count(text)

    def message(self, message: Message) -> int:
        return self._message(message, self.text)

    def at_most(self, message: Message) -> int:
        return self._message(message, _bytes)

    def tools(self, tools: Sequence[Mapping[str, Any]]) -> int:
        return self._tools(tools, self.text)

    def tools_at_most(self, tools: Sequence[Mapping[str, Any]]) -> int:
        return self._tools(tools, _bytes)

    def _message(self, message: Message, count: _CountText) -> int:
        fields = message.fields
        if message.role == "reasoning":
            return 0
        tokens = _MESSAGE_TOKENS + _ROLE_TOKENS
        if message.role == "other":
            return tokens + count(_json({name: value for name, value in fields.items() if name != "status"}))
        if message.role == "tool":
            output = fields.get("output") if "type" in fields else message.content
            return tokens + _CALL_ID_TOKENS + self._content(output, count)
        tokens += self._content(message.content, count)
        if isinstance(name := fields.get("name"), str):
            tokens += _NAME_TOKENS + count(name)
        return tokens + sum(count(call.name) + count(call.arguments) for call in message.tool_calls)

    def _content(self, content: Content | Any, count: _CountText) -> int:
        if isinstance(content, str):
            return count(content)
        parts = content if isinstance(content, list | tuple) else () if content is None else (content,)
        return sum(self._part(part, count) for part in parts)

    def _part(self, part: Any, count: _CountText) -> int:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if isinstance(kind, str) and kind in _IMAGE_PARTS:
            return image_tokens(self._images, part)
        text = part.get("refusal" if kind == "refusal" else "text") if isinstance(part, Mapping) else None
        return count(text) if isinstance(text, str) else 0

    def _tools(self, tools: Sequence[Mapping[str, Any]], count: _CountText) -> int:
        if not tools:
            return 0
        start = _FUNCTION if self.encoding == "o200k_base" else _FUNCTION_CL100K
        tokens = _FUNCTIONS_END
        for tool in tools:
            function = tool.get("function", tool)
            if tool.get("type") != "function" or not isinstance(function, Mapping):
                tokens += count(_json(tool))
                continue
            tokens += start + count(f"{_text(function, 'name')}:{_description(function)}")
            tokens += _schema(function.get("parameters"), count)
        return tokens


def _schema(schema: Any, count: _CountText) -> int:
    """Count a schema's properties; the published rule is for flat ones, and those within are counted alike."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or not properties:
        return 0
    tokens = _PROPERTIES
    for name, found in properties.items():
        inner = found if isinstance(found, Mapping) else {}
        tokens += _PROPERTY + count(f"{name}:{_text(inner, 'type')}:{_description(inner)}")
        if isinstance(enum := inner.get("enum"), list) and enum:
            tokens += _ENUM + sum(_ENUM_ITEM + count(str(item)) for item in enum)
        tokens += _schema(inner, count) + _schema(inner.get("items"), count)
    return tokens


def _description(schema: Mapping[str, Any]) -> str:
    return _text(schema, "description").removesuffix(".")


def _text(schema: Mapping[str, Any], name: str) -> str:
    value = schema.get(name)
    return "|".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


class RememberedCounts:
    """Counts of a turn: each message is counted once, and the committed ones are remembered for the next turn.

    Parameters
    ----------
    counter
        Counts what is not known.
    known
        Counts that the same encoding made before, by the message's seq.
    """

    def __init__(self, counter: TokenCounter, known: Mapping[int, int]) -> None:
        self._counter = counter
        self._new: dict[int, tuple[Message, int]] = {}  # by id(): the message is held, so that its id stays its own
        self.by_seq = dict(known)

    def counting(self, tools: Sequence[Mapping[str, Any]] = (), *, bounded: bool = True) -> Counting:
        """Make what a memory policy counts with.

        Parameters
        ----------
        tools
            The request's tool definitions.
        bounded
            Whether the bytes may show that nothing has to be counted; False to have `View.tokens` in any case.
        """
        counter = self._counter
        return Counting(
            count=self.of,
            at_most=self._at_most if bounded else None,
            overhead=REQUEST_TOKENS,
            tools=cache(lambda: counter.tools(tools)),
            tools_at_most=counter.tools_at_most(tools),
        )

    def of(self, message: Message) -> int:
        """Count a message, or tell what it was counted."""
        if message.seq in self.by_seq:
            return self.by_seq[message.seq]
        if id(message) in self._new:
            return self._new[id(message)][1]
        tokens = self._counter.message(message)
        if message.seq:
            self.by_seq[message.seq] = tokens
        else:
            self._new[id(message)] = message, tokens
        return tokens

    def _at_most(self, message: Message) -> int:
        return self.by_seq[message.seq] if message.seq in self.by_seq else self._counter.at_most(message)
