"""What people say about themselves and theirs, sentence by sentence, in Japanese and English."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from local.model import dialogue
from local.model.memory import english, japanese
from local.model.memory.dates import valid_from

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

USER = "user"


@dataclass(frozen=True, slots=True)
class Statement:
    """Something that was said.

    Parameters
    ----------
    topic
        The same in every language: ``name``, ``home``, ``job``, ``pet``, …
    subject, predicate, object
        In the words that were used; the user is ``user``.
    one
        Whether there is one object at a time.
    ended
        Whether it was said to hold no longer.
    since
        An ISO 8601 date or its beginning, from when it holds.
    """

    topic: str
    subject: str
    predicate: str
    object: str
    kind: Literal["profile", "preference", "relation", "event", "plan"] = "profile"
    one: bool = False
    ended: bool = False
    since: str | None = None


def statements(text: str, *, day: date | None = None, topics: Iterable[str] = ()) -> list[Statement]:
    """Find what a user's message states.

    Parameters
    ----------
    day
        When it was said.
    topics
        Of what was stated before: they tell what a short sentence is about (来月から福岡です).
    """
    found: list[Statement] = []
    if name := dialogue.stated_name(text):
        predicate = "名前" if dialogue.is_japanese(text) else "name"
        found.append(Statement("name", USER, predicate, name, one=True))
    before = ""
    about = set(topics)
    for sentence in dialogue.sentences(text):
        if not sentence.endswith(("?", "？", "か。")):
            language = japanese if dialogue.is_japanese(sentence) else english
            bare = sentence.rstrip("。！!. ")
            own = [Statement(*parts) for parts in language.found(bare, before=before, about=about)]
            about |= {one.topic for one in own}
            since = valid_from(bare, day)
            found += [replace(one, since=since) if one.one else one for one in own]
        before = sentence
    return list(dict.fromkeys(found))
