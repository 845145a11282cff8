"""The stand-in's answer to ``memory_facts``: what the user states in a transcript."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from local.model.memory.statements import Statement, statements
from local.model.memory.transcript import items_of, known_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.model.conversation import Prompt
    from local.model.memory.transcript import Known

_MOST = 20
# What a predicate is about, in either language: what is known under one ends what is said under the other.
_TOPICS = {
    "名前": "name",
    "name": "name",
    "住んでいる所": "home",
    "lives in": "home",
    "仕事": "job",
    "job": "job",
    "勤め先": "employer",
    "works at": "employer",
    "誕生日": "birthday",
    "birthday": "birthday",
}


def facts_of(prompt: Prompt) -> str:
    """Return the answer, JSON of the schema that the memory function asks for."""
    known = known_of(prompt)
    topics = {topic for one in known if (topic := _TOPICS.get(one.predicate.casefold()))}
    found: dict[Statement, list[int]] = {}
    for item in items_of(prompt):
        if item.role == "user":
            for one in statements(item.text, day=item.day, topics=topics):
                topics.add(one.topic)
                found.setdefault(one, []).append(item.number)
    merged = _merged(found)
    facts = [_fact(one, evidence, known) for one, evidence in merged]
    return json.dumps({"facts": facts[:_MOST]}, ensure_ascii=False)


def _merged(found: dict[Statement, list[int]]) -> list[tuple[Statement, list[int]]]:
    """Make one of what was said again, with or without a date; what there is one of comes first."""
    merged: dict[Statement, tuple[Statement, list[int]]] = {}
    for one, evidence in found.items():
        said, numbers = merged.get(replace(one, since=None), (one, []))
        merged[replace(one, since=None)] = (said if said.since else one, [*numbers, *evidence])
    return sorted(merged.values(), key=lambda pair: not pair[0].one)


def _fact(one: Statement, evidence: list[int], known: Sequence[Known]) -> dict[str, Any]:
    replaced = _replaced(one, known)
    return {
        "op": "retract" if one.ended else "supersede" if replaced is not None else "add",
        "replaces": replaced,
        "subject": one.subject,
        "predicate": one.predicate,
        "object": one.object,
        "kind": one.kind,
        "cardinality": "one" if one.one else "many",
        "valid_from": one.since,
        "evidence": evidence,
    }


def _replaced(one: Statement, known: Sequence[Known]) -> int | None:
    """Return the number of the known fact that a statement ends: the same that holds no longer, or another one."""
    for fact in known:
        if fact.subject.casefold() != one.subject.casefold():
            continue
        same = fact.object.casefold() == one.object.casefold()
        if one.ended and same and fact.predicate == one.predicate:
            return fact.number
        if one.one and not same and _TOPICS.get(fact.predicate.casefold(), fact.predicate) == one.topic:
            return fact.number
    return None
