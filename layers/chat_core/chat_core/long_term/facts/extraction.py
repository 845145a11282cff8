"""What a fold asks the model for, how its answer is read, and which assertions are made of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

from chat_core.long_term.facts.accept import Candidate, accepted
from chat_core.long_term.facts.records import Assertion, Cardinality, Kind, Op
from chat_core.long_term.facts.words import one_line, valid_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chat_core.long_term.facts.accept import Refusal, Said
    from chat_core.long_term.facts.records import Moment

NAME = "memory_facts"
MOST = 20
"""Facts of one answer."""

_FACT: Mapping[str, Any] = {
    "op": {"type": "string", "enum": list(get_args(Op))},
    "replaces": {"type": ["integer", "null"]},
    "subject": {"type": "string"},
    "predicate": {"type": "string"},
    "object": {"type": "string"},
    "kind": {"type": "string", "enum": list(get_args(Kind))},
    "cardinality": {"type": "string", "enum": list(get_args(Cardinality))},
    "valid_from": {"type": ["string", "null"]},
    "evidence": {"type": "array", "items": {"type": "integer"}},
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["facts"],
    "properties": {
        "facts": {
            "type": "array",
            "maxItems": MOST,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": list(_FACT),
                "properties": _FACT,
            },
        }
    },
}
"""Of structured output, strict."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is made of an extraction.

    Parameters
    ----------
    assertions
        To be stored.
    refusals
        Place and reason of what is not taken.
    """

    assertions: tuple[Assertion, ...]
    refusals: tuple[tuple[int, Refusal], ...]


_CODE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)
"""How models that are not held to a schema write JSON."""


def parse_facts(text: str, handles: Mapping[int, str]) -> tuple[Candidate, ...] | None:
    """Read the model's answer; None where it is not of the schema.

    Parameters
    ----------
    handles
        The number under which a known fact was shown → its id. One that was not shown names nothing.
    """
    fence = _CODE.fullmatch(text.strip())
    try:
        facts = json.loads(fence[1] if fence else text)["facts"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(facts, list) or len(facts) > MOST or not all(map(_is_fact, facts)):
        return None
    return tuple(_candidate(fact, handles) for fact in facts)


def _is_fact(fact: object) -> bool:
    if not isinstance(fact, dict) or fact.keys() != _FACT.keys():
        return False
    words = all(isinstance(fact[name], str) for name in ("subject", "predicate", "object"))
    chosen = all(fact[name] in _FACT[name]["enum"] for name in ("op", "kind", "cardinality"))
    dated = fact["valid_from"] is None or isinstance(fact["valid_from"], str)
    named = fact["replaces"] is None or type(fact["replaces"]) is int
    evidence = fact["evidence"]
    return words and chosen and dated and named and isinstance(evidence, list) and all(type(n) is int for n in evidence)


def _candidate(fact: Mapping[str, Any], handles: Mapping[int, str]) -> Candidate:
    return Candidate(
        op=cast("Op", fact["op"]),
        subject=fact["subject"],
        predicate=fact["predicate"],
        object=fact["object"],
        kind=cast("Kind", fact["kind"]),
        cardinality=cast("Cardinality", fact["cardinality"]),
        valid_from=fact["valid_from"],
        replaces=handles.get(fact["replaces"]) if fact["replaces"] is not None else None,
        evidence=tuple(map(str, fact["evidence"])),
    )


def taken(
    candidates: Sequence[Candidate],
    items: Mapping[str, Said],
    *,
    new_id: Callable[[int], str],
    recorded_at: int,
    forgotten: Mapping[str, Moment],
    include_assistant: bool = False,
) -> Taken:
    """Make assertions of what the model found; each is checked alone, and a wrong one costs itself alone.

    Parameters
    ----------
    items
        What the fold gave to the model, by number.
    new_id
        Composes the id of the fact at a place of the answer.
    recorded_at
        Seconds since the epoch.
    forgotten
        See `accepted`.
    include_assistant
        Whether what only the assistant said counts.
    """
    assertions: list[Assertion] = []
    refusals: list[tuple[int, Refusal]] = []
    for place, one in enumerate(candidates):
        evidence = accepted(one, items, include_assistant=include_assistant, forgotten=forgotten)
        if isinstance(evidence, str):
            refusals.append((place, evidence))
            continue
        assertions.append(
            Assertion(
                id=new_id(place),
                op=one.op,
                subject=one_line(one.subject),
                predicate=one_line(one.predicate),
                object=one_line(one.object),
                kind=one.kind,
                cardinality=one.cardinality,
                evidence=evidence,
                valid_from=valid_date(one.valid_from),
                replaces=one.replaces,
                recorded_at=recorded_at,
            )
        )
    return Taken(tuple(assertions), tuple(refusals))
