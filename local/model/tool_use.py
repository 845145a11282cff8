"""Which functions a question fits, and with which arguments they are called."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.model.schema_values import smallest_value

if TYPE_CHECKING:
    from local.model.conversation import Function, Prompt

# Words that say nothing of what a function is about.
_COMMON = re.compile(
    "a|an|and|any|are|by|can|current|do|fetch|find|for|from|get|given|has|have|how|"
    "i|if|in|information|is|it|its|list|look|make|my|name|of|on|or|please|return|"
    "returns|run|set|show|tell|text|that|the|this|to|up|user|use|value|what|when|"
    "where|which|who|with|you|your"
)
# Japanese words for what functions are usually called in English.
_ENGLISH = {
    "天気": "weather",
    "気温": "temperature",
    "何時": "time",
    "時刻": "time",
    "検索": "search",
    "計算": "calculate",
    "株価": "stock",
    "予約": "book",
    "メール": "email",
}
_PLACE_NAMES = frozenset({"city", "location", "place", "town", "country", "region", "origin", "destination"})
_JAPANESE_WORD = re.compile(r"[一-龯々ァ-ヶー]+")
_JAPANESE_PLACE = re.compile(r"([一-龯々ァ-ヶー]+)(?=[のでにはへ]|から|まで)")
_TIME_WORDS = frozenset({"今日", "明日", "昨日", "今", "現在", "今週", "来週", "天気", "気温", "私"})
_ENGLISH_PLACE = re.compile(
    r"\b(?:in|at|for|of|near|to|from)\s+([A-Z][\w'-]*(?:\s+[A-Z][\w'-]*)*(?:,\s*[A-Z][\w'-]*)?)"
)
_QUOTED = re.compile(r"[\"“「『]([^\"”」』]+)[\"”」』]")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")


@dataclass(frozen=True)
class FunctionCall:
    """A call that the model asks for; ``arguments`` is a JSON object as text."""

    name: str
    arguments: str


def function_calls(prompt: Prompt) -> tuple[FunctionCall, ...]:
    """Return the calls that answer a prompt; none where its tool results are there or nothing fits."""
    if not prompt.functions or (prompt.results and not prompt.must_call):
        return ()
    chosen = _fitting(prompt.functions, prompt.question)
    if prompt.must_call:
        chosen = chosen or prompt.functions[:1]
    if not prompt.parallel:
        chosen = chosen[:1]
    return tuple(_call(function, prompt.question) for function in chosen)


def _call(function: Function, question: str) -> FunctionCall:
    arguments = smallest_value({"type": "object", **function.parameters}, QuestionValues(question))
    return FunctionCall(function.name, json.dumps(arguments, ensure_ascii=False))


def _fitting(functions: tuple[Function, ...], question: str) -> tuple[Function, ...]:
    """Return every function whose name the question speaks of, else the one whose description fits best."""
    asked = _words(question) | {english for word, english in _ENGLISH.items() if word in question}
    by_name = tuple(function for function in functions if asked & _words(function.name))
    if by_name:
        return by_name
    scores = [len(asked & _described(function)) for function in functions]
    best = max(scores)
    return (functions[scores.index(best)],) if best else ()


def _described(function: Function) -> frozenset[str]:
    return _words(function.description) | _words(" ".join(function.parameters.get("required", ())))


def _words(text: str) -> frozenset[str]:
    """Return what a text is about: its English words, camelCase and snake_case cut, and its Japanese terms."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    english = (word.lower() for word in re.findall(r"[A-Za-z]{2,}", spaced))
    japanese = (word for word in _JAPANESE_WORD.findall(text) if len(word) > 1)
    return frozenset({word.removesuffix("s") for word in english if not _COMMON.fullmatch(word)} | set(japanese))


class QuestionValues:
    """The texts and numbers of a question, in the order in which arguments ask for them."""

    def __init__(self, question: str) -> None:
        japanese = (word for word in _JAPANESE_PLACE.findall(question) if word not in _TIME_WORDS)
        self._question = question
        self._quoted = _QUOTED.findall(question)
        self._places = [*_ENGLISH_PLACE.findall(question), *japanese]
        self._numbers = [float(number) for number in _NUMBER.findall(question)]

    def text(self, name: str) -> str:
        """Return the next quoted text, else for a place's name the next place, else the question itself."""
        if self._quoted:
            return str(self._quoted.pop(0))
        if _words(name) & _PLACE_NAMES and self._places:
            return str(self._places.pop(0))
        return self._question

    def number(self) -> float | None:
        """Return the next number of the question."""
        return self._numbers.pop(0) if self._numbers else None
