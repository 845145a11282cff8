"""The stand-in's answer to ``memory_summary``: the sentences that tell most, as they were said.

A note is a line. The notes so far are kept line by line beside the new ones, so that what was told once stays, until
something else of the same kind takes its place or there is no more room.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from chat_core.long_term.language import NAMES, language_of
from local.model import dialogue
from local.model.memory.statements import USER, Statement, statements
from local.model.memory.transcript import items_of, limit_of, notes_of
from local.model.usage import cut, text_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.model.conversation import Prompt
    from local.model.memory.transcript import Item

_LONGEST = 160
_NAME_SCORE = 200
# A new note with the same topic takes the place of the old one.
_SINGLE = frozenset({"name", "home", "job", "employer", "birthday"})
_OLD_SHARE = 0.7
_QUOTES: dict[str, dict[str, str]] = {
    "ja": {"user": "ユーザー「{0}」", "assistant": "アシスタント「{0}」"},
    "zh": {"user": "用户：“{0}”", "assistant": "助手：“{0}”"},
    "ko": {"user": "사용자: “{0}”", "assistant": "어시스턴트: “{0}”"},
    "en": {"user": "User: “{0}”", "assistant": "Assistant: “{0}”"},
}
_QUOTED = re.compile(r"[「“](.*)[」”]")
_NAME_IS = {
    "en": "The user's name is {0}.",
    "ja": "ユーザーの名前は{0}です。",
    "ko": "사용자의 이름은 {0}입니다.",
    "zh": "用户的名字是{0}。",
}
_BEFORE = {"en": " (before: {0})", "ja": "（以前は{0}）"}
_REMEMBER = re.compile(r"覚えて|忘れないで|\bremember\b|\bdon't forget\b|\bimportant\b|重要|大事", re.IGNORECASE)
_DECISION = re.compile(
    r"決め|決ま|決定|ことにし|約束|予約|締め切り|締切|目標|予定"
    r"|\b(?:decid\w+|agreed?|promis\w+|book(?:ed|ing)|deadline|plan(?:ned|s)?|goal|will|going to)\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"私|わたし|僕|ぼく|俺|うち|\b(?:I|I'm|I've|my|our|we)\b")
_MINE = re.compile(r"\b(?:my|our)\b|(?:私|わたし|僕|ぼく|俺|うち)の", re.IGNORECASE)
_NUMBER = re.compile(r"\d")
_NAMES = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]+|[ァ-ヶー]{3,}|[一-龯]{3,}")
_SMALL_TALK = re.compile(
    r"^(?:ok|okay|yes|no|thanks?|thank you.*|hi|hello|hey|good (?:morning|evening|night)|はい|いいえ|うん|ありがとう.*"
    r"|こんにちは|こんばんは|おはよう.*|了解.*|なるほど)\W*$",
    re.IGNORECASE,
)
# The stand-in's own replies tell nothing.
_OWN_REPLY = re.compile(
    r"^（オフラインの代役です|^\(Offline stand-in\)|お話しできてうれしいです|It is nice to meet you|^Hello, |さん！"
)


@dataclass(frozen=True, slots=True)
class _Note:
    """A line of the notes: how much it tells, and what it states of which there is one."""

    text: str
    score: int
    states: tuple[tuple[str, str], ...] = ()


def summary_of(prompt: Prompt, model: str) -> str:
    """Return the answer, JSON of the schema that the memory function asks for."""
    items = items_of(prompt)
    before = notes_of(prompt)
    said = [item.text for item in items if item.role == "user"]
    language = _asked_language(prompt) or language_of(said, language_of([before]))
    old = [_old_note(line) for line in _lines(before)]
    new = [note for item in items for note in _notes(item, language)]
    limit = limit_of(prompt)
    notes = _fitting(*_current(old, new, language), limit, lambda text: text_tokens(text, model))
    text = "\n".join(note.text for note in notes) or before or _anything(items)
    return json.dumps({"language": language, "summary": cut(text, limit, model)}, ensure_ascii=False)


def _asked_language(prompt: Prompt) -> str:
    """Return the language that the prompt names as the user's own, by its code."""
    said = "\n".join(message.text for message in prompt.messages)
    return next((code for code, name in NAMES.items() if f"Write in {name}" in said), "")


def _lines(notes: str) -> list[str]:
    """Cut notes into lines, and a line that is none of ours into its sentences."""
    lines = [line.strip() for line in notes.splitlines() if line.strip()]
    return [
        part
        for line in lines
        for part in (
            [line] if _QUOTED.search(line) or dialogue.name_of_user(line) else dialogue.sentences(line) or [line]
        )
    ]


def _old_note(line: str) -> _Note:
    quoted = _QUOTED.search(line)
    name = dialogue.name_of_user(line)
    if name:
        return _Note(line, _NAME_SCORE, (("name", name),))
    said = quoted[1] if quoted else line
    return _Note(line, max(_score(said), 1), _single(said))


def _notes(item: Item, language: str) -> list[_Note]:
    """Make a note of each sentence that tells something."""
    frame = _QUOTES.get(language, {}).get(item.role, "“{0}”")
    day = f"{item.day} " if item.day else ""
    notes = []
    if item.role == "user" and (name := dialogue.stated_name(item.text)):
        notes.append(_Note(_NAME_IS.get(language, _NAME_IS["en"]).format(name), _NAME_SCORE, (("name", name),)))
    if item.role not in ("user", "assistant") or (item.role == "assistant" and _OWN_REPLY.search(item.text)):
        return notes
    for sentence in dialogue.sentences(item.text, longest=10_000):
        score = _score(sentence) if item.role == "user" else _score(sentence) // 2
        told = [topic for topic, _ in _single(sentence) if topic != "name"] if item.role == "user" else []
        only_the_name = bool(notes) and not told and dialogue.stated_name(sentence) is not None
        if score and not only_the_name:
            states = tuple(pair for pair in _single(sentence) if pair[0] in told)
            short = sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1]}…"
            notes.append(_Note(f"{day}{frame.format(short)}", score, states))
    return notes


def _score(sentence: str) -> int:
    """Tell how much a sentence tells: nothing in small talk and in questions."""
    if _SMALL_TALK.match(sentence) or sentence.endswith(("?", "？", "か。")):
        return 0
    said = _stated(sentence)
    return (
        1
        + 60 * any(one.one and one.subject == USER for one in said)
        + 40 * bool(said)
        + 50 * bool(_REMEMBER.search(sentence))
        + 20 * bool(_DECISION.search(sentence))
        + 20 * bool(_MINE.search(sentence))
        + 15 * bool(_NUMBER.search(sentence))
        + 8 * bool(_NAMES.search(sentence))
        + 5 * bool(_OWN.search(sentence))
    )


@lru_cache(maxsize=1_000)
def _stated(sentence: str) -> tuple[Statement, ...]:
    return tuple(statements(sentence))


def _single(sentence: str) -> tuple[tuple[str, str], ...]:
    found = _stated(sentence)
    return tuple((one.topic, one.object) for one in found if one.topic in _SINGLE and one.subject == USER)


def _current(old: Sequence[_Note], new: Sequence[_Note], language: str) -> tuple[list[_Note], list[_Note]]:
    """Leave out what something later has taken the place of, and say there what was before."""
    newest: dict[str, str] = {}
    kept: list[tuple[bool, _Note]] = []
    before: dict[str, str] = {}
    seen: set[str] = set()
    for is_old, note in reversed([*((True, note) for note in old), *((False, note) for note in new)]):
        words = note.text.partition(" ")[2] if note.text[:1].isdigit() else note.text
        ended = [(topic, value) for topic, value in note.states if newest.get(topic, value) != value]
        before.update({topic: value for topic, value in ended if topic not in before})
        for topic, value in note.states:
            newest.setdefault(topic, value)
        if words not in seen and not ended:
            seen.add(words)
            kept.append((is_old, note))
    told = [(is_old, _told(note, before, language)) for is_old, note in reversed(kept)]
    return [note for is_old, note in told if is_old], [note for is_old, note in told if not is_old]


def _told(note: _Note, before: dict[str, str], language: str) -> _Note:
    """Say in a note what held before it, once."""
    ended = ", ".join(before[topic] for topic, _ in note.states if topic in before)
    said = _BEFORE.get(language, _BEFORE["en"]).format(ended)
    return note if not ended or said in note.text else replace(note, text=note.text + said)


def _fitting(old: Sequence[_Note], new: Sequence[_Note], limit: int, count: Callable[[str], int]) -> list[_Note]:
    """Choose the notes that tell most, the older of two; the old ones leave room for new ones."""
    room = limit
    chosen: set[int] = set()
    numbered = list(enumerate([*old, *new]))
    best = sorted(numbered, key=lambda pair: -pair[1].score)
    costs = [count(note.text) + 1 for _, note in numbered]
    everything = range(len(numbered))
    for share, part in ((_OLD_SHARE, everything[: len(old)]), (1.0, everything[len(old) :]), (1.0, everything)):
        spent = 0
        for place, _ in best:
            cost = costs[place]
            if place in part and place not in chosen and cost <= room and spent + cost <= share * limit:
                chosen.add(place)
                room, spent = room - cost, spent + cost
    return [note for place, note in numbered if place in chosen]


def _anything(items: Sequence[Item]) -> str:
    """Return some words of what was said where none of it tells anything."""
    return next((item.text[:_LONGEST] for item in items if item.text.strip()), "")
