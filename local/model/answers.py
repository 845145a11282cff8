"""The stand-in's replies: a pure function of the conversation, with no clock, no state and no chance in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from local.model import dialogue, notes
from local.model.memory import facts_of, summary_of
from local.model.schema_values import smallest_value
from local.model.tool_use import FunctionCall, function_calls
from local.model.usage import cut, text_tokens

if TYPE_CHECKING:
    from local.model.conversation import Prompt

_SNIPPET = 40

_PHRASES = {
    "hello": ("こんにちは、{0}さん！ お話しできてうれしいです。", "Hello, {0}! It is nice to meet you."),
    "name": ("あなたの名前は{0}さんです！", "Your name is {0}!"),
    "no_name": ("まだお名前を伺っていません。", "You have not told me your name yet."),
    "noted": ("覚えました：{0}", "I will remember: {0}"),
    "facts": ("覚えているのは：{0}", "You asked me to remember: {0}"),
    "no_facts": ("まだ何も頼まれていません。", "You have not asked me to remember anything yet."),
    "notes": ("メモによると「{0}」", "My notes say: “{0}”"),
    "result": ("ツール {0} の結果：{1}", "The tool {0} says: {1}"),
    "other": (
        "（オフラインの代役です）ここまで{0}件のメッセージを読みました。最後は「{1}」です。",
        "(Offline stand-in) I have read {0} message(s) so far. The last one is: “{1}”",
    ),
}


@dataclass(frozen=True)
class Reply:
    """What the model answers: a text, or calls, or a refusal; nothing at all is an empty output."""

    text: str | None = None
    calls: tuple[FunctionCall, ...] = ()
    refusal: str | None = None
    incomplete: Literal["max_output_tokens", "content_filter"] | None = None
    failed: bool = False

    def tokens(self, model: str) -> int:
        """Count everything in it."""
        texts = (self.text or "", self.refusal or "", *(call.arguments for call in self.calls))
        return sum(text_tokens(text, model) for text in texts)


@dataclass(frozen=True)
class _ReplyText:
    """The reply as the source of a structured output: each text in it is the reply itself."""

    reply: str

    def text(self, name: str) -> str:
        return self.reply

    def number(self) -> float | None:
        return None


def answer(prompt: Prompt) -> Reply:
    """Return the reply to a prompt: function calls where a function fits, else a text in the form asked for."""
    if prompt.output_format.name == "memory_summary":
        return Reply(text=summary_of(prompt, prompt.model))
    if prompt.output_format.name == "memory_facts":
        return Reply(text=facts_of(prompt))
    calls = function_calls(prompt)
    if calls:
        return Reply(calls=calls)
    text = _text(prompt)
    if prompt.output_format.kind == "json_object":
        text = json.dumps({"answer": text}, ensure_ascii=False)
    elif prompt.output_format.kind == "json_schema":
        text = json.dumps(smallest_value(prompt.output_format.schema, _ReplyText(text)), ensure_ascii=False)
    return Reply(text=text)


def limited(reply: Reply, limit: int | None, model: str) -> Reply:
    """Cut a reply after so many tokens, as a model does: in the middle of what it says."""
    if limit is None or reply.tokens(model) <= limit:
        return reply
    if reply.text is not None:
        return replace(reply, text=cut(reply.text, limit, model), incomplete="max_output_tokens")
    calls = []
    for call in reply.calls:
        arguments = cut(call.arguments, limit, model)
        limit -= text_tokens(arguments, model)
        calls.append(replace(call, arguments=arguments))
        if arguments != call.arguments or not limit:
            break
    return replace(reply, calls=tuple(calls), incomplete="max_output_tokens")


def _text(prompt: Prompt) -> str:
    question = prompt.question
    if prompt.results:
        return "\n".join(_say(prompt, "result", name, output) for name, output in prompt.results)
    if dialogue.asks_name(question):
        name = _name(prompt)
        return _say(prompt, "name", name) if name else _say(prompt, "no_name")
    if dialogue.asks_facts(question):
        return _list(prompt, "facts", _said(prompt)) or _say(prompt, "no_facts")
    if name := dialogue.stated_name(question):
        return _say(prompt, "hello", name)
    read = sum(message.role != "system" for message in prompt.messages)
    return _list(prompt, "noted", [question]) or _from_notes(prompt) or _say(prompt, "other", read, _snippet(question))


def _said(prompt: Prompt) -> list[str]:
    return [message.text for message in prompt.messages if message.role == "user"]


def _list(prompt: Prompt, phrase: str, texts: list[str]) -> str:
    """List what texts ask to be remembered; nothing where they do not."""
    facts = [fact for text in texts for fact in dialogue.facts_to_remember(text)]
    return _say(prompt, phrase, "; ".join(facts)) if facts else ""


def _from_notes(prompt: Prompt) -> str:
    """Answer a question from the notes beside the conversation; nothing where they do not."""
    asked = prompt.question.endswith(("?", "？", "か。"))
    known = notes.answer_in(filter(notes.is_notes, _said(prompt)), prompt.question) if asked else None
    return _say(prompt, "notes", known) if known else ""


def _name(prompt: Prompt) -> str | None:
    """Return the user's name as last stated by the user, else as notes or a system message tell it."""
    said = _said(prompt)[::-1]
    system = [message.text for message in reversed(prompt.messages) if message.role == "system"]
    found = [
        *(dialogue.stated_name(text) for text in said if not notes.is_notes(text)),
        *(notes.name_in(text) for text in said if notes.is_notes(text)),
        *map(dialogue.name_of_user, system),
    ]
    return next(filter(None, found), None)


def _say(prompt: Prompt, phrase: str, *values: object) -> str:
    """Return a phrase in the language that a system message asks for, else in the question's."""
    system = (message.text for message in reversed(prompt.messages) if message.role == "system")
    asked = next((language for text in system if (language := dialogue.instructed_language(text))), None)
    japanese = asked == "ja" if asked else dialogue.is_japanese(prompt.question)
    return _PHRASES[phrase][0 if japanese else 1].format(*values)


def _snippet(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SNIPPET else f"{line[:_SNIPPET]}…"
