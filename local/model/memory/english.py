"""Statements in English."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

Parts = tuple[Any, ...]

_NAME = r"[A-Z][\w’'-]*(?: [A-Z][\w’'-]*){0,3}"
_PLACE = rf"(?P<o>(?:the )?{_NAME})"
_END = r"(?=$|[.,;:!]| and\b| but\b| because\b| since\b| in\b| with\b| so\b| when\b| anymore\b| any more\b)"
_PET = "dog|puppy|cat|kitten|rabbit|hamster|parrot|bird|goldfish|turtle|horse"
_JOBS = (
    "engineer|doctor|teacher|nurse|lawyer|student|designer|developer|writer|chef|farmer|accountant|scientist|driver"
    "|programmer|manager|architect|plumber|pilot|journalist|photographer|musician"
)
_HOME = re.compile(
    rf"\b(?:I|we)(?:'m|'ll| am| are| will| have| just)*(?: now| just| currently| recently)*"
    rf" (?:live|lived|living|moved?|moving|based|relocated?|relocating)(?: over)? (?:in|to) {_PLACE}"
)
_NO_HOME = re.compile(r"\b(?:used to|don't|do not|no longer|never|would like to|want to|lived)\b")
_JOB = re.compile(
    rf"\b(?:I work as|my (?:job|profession) is(?: being)?|I'm now|I am now|I became|I'm|I am) (?:an? )?"
    rf"(?P<o>(?:[\w-]+ ){{0,2}}(?:{_JOBS}))\b",
    re.IGNORECASE,
)
_WORK_AS = re.compile(rf"\bI work as (?:an? )?(?P<o>[\w -]{{2,40}}?){_END}", re.IGNORECASE)
_EMPLOYER = re.compile(rf"\bI(?:'m| am)? (?:now )?work(?:ing)? (?:at|for) (?P<o>{_NAME})")
_HAVE = re.compile(
    rf"\b(?:I|we)(?: have|'ve got| got| own| adopted) (?:an? |two |three |\d+ |my )?(?:\w+ )?(?P<k>{_PET})s?\b"
    rf"(?:,? (?:named|called) (?P<o>{_NAME}))?",
    re.IGNORECASE,
)
_PET_NAME = re.compile(rf"\b[Mm]y (?P<k>{_PET})(?:'s name is| is called| is named|,) (?P<o>{_NAME})")
_ITS_NAME = re.compile(rf"\b(?:[Hh]is|[Hh]er|[Ii]ts|[Tt]heir) name is (?P<o>{_NAME})")
_LIKES = re.compile(
    rf"\bI (?P<no>no longer |don't |do not )?(?:really |also |still )?(?:like|love|enjoy|prefer|adore)"
    rf" (?!to\b|you\b|it\b|that\b)(?P<o>[^.,;!?]{{2,40}}?)(?P<end> any ?more)?{_END}",
    re.IGNORECASE,
)
_DISLIKES = re.compile(
    rf"\b(?:I|and|but) (?:really )?(?:hate|dislike|can't stand) (?P<o>[^.,;!?]{{2,40}}?){_END}", re.IGNORECASE
)
_FAVOURITE = re.compile(rf"\bmy (?P<k>favou?rite [\w ]{{2,20}}?) is (?P<o>[^.,;!?]{{1,40}}?){_END}", re.IGNORECASE)
_ALLERGY = re.compile(rf"\bI(?:'m| am) (?:very )?allergic to (?P<o>[^.,;!?]{{2,30}}?){_END}", re.IGNORECASE)
_BIRTHDAY = re.compile(r"\b[Mm]y birthday is (?:on )?(?P<o>[^.;!?]{3,20}?)(?=$|[.;!,]| and\b)")
_PLAN = re.compile(
    r"\bI(?:'ll| will| am going to|'m going to| have| booked|'ve booked|'m| am) "
    r"(?P<o>[^.;!?]{3,60}? (?:on|at|in|next|this) (?:the )?"
    r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august"
    r"|september|october|november|december|week|month|\d)[\w: ]{0,12})",
    re.IGNORECASE,
)
_OWNER = re.compile(r"^(?:My|my) (?P<s>\w+) (?:lives|moved|is living)(?: now)? (?:in|to) (?P<o>[A-Z][\w'-]*)")


def found(sentence: str, *, before: str, about: Set[str]) -> Iterator[Parts]:
    """Yield the parts of statements: see `local.model.memory.statements`."""
    if (match := _HOME.search(sentence)) and not _NO_HOME.search(sentence):
        yield ("home", "user", "lives in", match["o"], "profile", True)
    elif match := _OWNER.search(sentence):
        yield ("home", match["s"], "lives in", match["o"], "profile", True)
    if match := _WORK_AS.search(sentence) or _JOB.search(sentence):
        yield ("job", "user", "job", match["o"], "profile", True)
    if match := _EMPLOYER.search(sentence):
        yield ("employer", "user", "works at", match["o"], "profile", True)
    yield from _pets(sentence, before)
    yield from _tastes(sentence)
    if match := _ALLERGY.search(sentence):
        yield ("allergy", "user", "allergic to", match["o"], "profile")
    if match := _BIRTHDAY.search(sentence):
        yield ("birthday", "user", "birthday", match["o"], "profile", True)
    if match := _PLAN.search(sentence):
        yield ("plan", "user", "plan", match["o"].strip(), "plan")


def _pets(sentence: str, before: str) -> Iterator[Parts]:
    have = _HAVE.search(sentence)
    if have:
        yield ("pet", "user", "pet", have["k"].lower(), "relation")
    named = _PET_NAME.search(sentence) or (have if have and have["o"] else None)
    kind, name = (named["k"].lower(), named["o"]) if named else ("", "")
    if not named and (its := _ITS_NAME.search(sentence)):
        context = re.findall(rf"\b({_PET})s?\b", f"{before} {sentence[: its.start()]}", re.IGNORECASE)
        kind, name = (context[-1].lower(), its["o"]) if context else ("", "")
    if kind and name:
        yield ("pet_name", "user", f"{kind}'s name", name, "relation")
        yield ("kind", name, "is a", kind, "profile")


def _tastes(sentence: str) -> Iterator[Parts]:
    if match := _FAVOURITE.search(sentence):
        yield ("favourite", "user", match["k"].lower(), match["o"], "preference", True)
    if match := _LIKES.search(sentence):
        no, over = (match["no"] or "").lower(), bool(match["end"])
        if no and not (over or no.startswith("no")):
            yield ("dislike", "user", "dislikes", match["o"], "preference")
        else:
            yield ("like", "user", "likes", match["o"], "preference", False, bool(no))
    if match := _DISLIKES.search(sentence):
        yield ("dislike", "user", "dislikes", match["o"], "preference")
