"""Cases of facts: what an extraction makes of those that are known, and what a view shows of them."""

from __future__ import annotations

import asyncio
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, Literal

from chat_core.deadline import Deadline
from chat_core.long_term.asking import StructuredModel
from chat_core.long_term.extractor import Extractor, Ids
from chat_core.long_term.facts.accept import Candidate, Said
from chat_core.long_term.facts.extraction import taken
from chat_core.long_term.facts.records import Assertion, Evidence, Moment, Tombstone, fact_digest
from chat_core.long_term.facts.resolve import resolved
from chat_core.long_term.facts.shown import own_facts, subject_facts
from chat_core.long_term.fold import Batch
from chat_core.long_term.notes import notes_message
from chat_core.long_term.told import with_own
from chat_core.long_term.turns import whole_turns
from chat_core.memory import Earlier, Notes, parse_policy
from chat_core.messages import Message
from tests.conformance.cases import Case, Outcome, compared
from tests.fakes.model import FakeModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chat_core.long_term.facts import Fact

ROLES: tuple[Literal["user", "assistant"], ...] = ("user", "assistant")


def run(case: Case) -> Outcome:
    """Run a case by its ``op``."""
    if case["op"] == "merge":
        return merge(case)
    if case["op"] == "fold":
        return fold(case)
    params = case.get("params", {})
    if case["op"] == "view" and ("facts" in params or "extractor_output" in params):
        return shown(case, params)
    if case["op"] == "view" and "order" in case["expected"]:
        return ordered(case)
    return Outcome("failed", (f"This runner does not know a case of facts of this shape: op {case['op']}.",))


def merge(case: Case) -> Outcome:
    """Take an extraction into the facts that are known."""
    stored = [one for fact in case["facts"] for one in _assertions(fact)]
    items = {
        name: Said(Evidence(name, Moment(0, item["seq"]), item["role"]), item["text"])
        for name, item in case["items"].items()
    }
    stones = [Tombstone(_digest(one), Moment(0, one["seq"])) for one in case.get("forgotten", ())]
    found = taken(
        [_candidate(output, case["facts"]) for output in case["output"]],
        items,
        new_id="new{}".format,
        recorded_at=1,
        forgotten={stone.digest: stone.moment for stone in stones},
        include_assistant=bool(case.get("params", {}).get("include_assistant")),
    )
    facts = resolved([*stored, *found.assertions], stones)
    got: dict[str, Any] = {
        status: [fact.id for fact in facts if fact.status == status]
        for status in ("current", "superseded", "retracted")
    }
    got["rejected"] = [list(refusal) for refusal in found.refusals]
    for fact in facts:
        known = {name: getattr(fact, name) for name in ("valid_from", "valid_to", "superseded_by", "status", "pinned")}
        got[fact.id] = {**known, "item_ids": list(fact.item_ids), "object": fact.newest.object}
    return compared(_told(case["expected"], got), got)


def _told(expected: Mapping[str, Any], got: Mapping[str, Any]) -> dict[str, Any]:
    """Compare lists of ids in any order, and of a fact only the members that the case tells."""
    told = dict(expected)
    for name, value in expected.items():
        known = got.get(name)
        if isinstance(value, dict) and isinstance(known, dict):
            told[name] = {**known, **value}
        elif isinstance(value, list) and isinstance(known, list) and sorted(map(str, value)) == sorted(map(str, known)):
            told[name] = known
    return told


def fold(case: Case) -> Outcome:
    """Run the worker as often as the model is told to answer, and once more; each run takes in what is not covered."""
    replies = case.get("model_replies") or [case["model_reply"]]
    messages = _messages(case["turns"])
    ids = Ids(item=lambda message: message.id, fact="new{}".format)
    facts: list[Assertion] = []
    outcomes: list[str] = []
    calls: list[int] = []
    covered = 0
    for reply in (*replies, ""):
        model = FakeModel(seconds=0)
        model.script.append({"output": [{"type": "message", "content": [{"type": "output_text", "text": reply}]}]})
        turns = whole_turns([message for message in messages if message.seq > covered])
        outcome = "nothing_to_do"
        if turns:
            extractor = Extractor(StructuredModel(model, "gpt-4o"), count=len, clock=lambda: 0)
            found = asyncio.run(
                extractor.extract(
                    Batch(turns),
                    resolved(facts),
                    ids,
                    forgotten={},
                    include_assistant=False,
                    deadline=Deadline.after(60),
                )
            )
            outcome = found.code or "stored"
            if found.made is not None:
                facts += found.made.assertions
                covered = turns[-1].last
                outcome = "stored" if found.made.assertions else "stored_nothing"
        outcomes.append(outcome)
        calls.append(len(model.bodies))
    got = {"model_calls": calls, "facts_after": len(resolved(facts)), "outcomes": outcomes, "covers_up_to": covered}
    if "outcome" in case["expected"]:
        got["outcome"] = outcomes[0]
    asked = len(case["expected"].get("outcomes", outcomes))
    return compared(case["expected"], {**got, "model_calls": calls[:asked], "outcomes": outcomes[:asked]})


def _messages(turns: list[dict[str, Any]]) -> tuple[Message, ...]:
    return tuple(
        Message(role, content=turn[role], id=f"{turn['id']}-{role}", seq=turn["seq"] - 1 + place)
        for turn in turns
        for place, role in enumerate(ROLES)
    )


def triple(fact: Fact) -> tuple[str, str, str]:
    """Give a fact as an edge of the graph."""
    return fact.newest.subject, fact.newest.predicate, fact.newest.object


def shown(case: Case, params: Mapping[str, Any]) -> Outcome:
    """Show facts by subject, and as triples whose objects may hold a comma."""
    numbers = count(1)
    triples = params.get("facts") or _of_a_peer(params["extractor_output"])
    facts = resolved(
        Assertion(f"f{n}", "add", subject, predicate, thing, evidence=(Evidence(f"m{n}", Moment(0, n)),))
        for (subject, predicate, thing), n in zip(triples, numbers, strict=False)
    )
    got: dict[str, Any] = {"triples": [list(triple(fact)) for fact in facts]}
    subjects = case["expected"].get("facts_for", {})
    got["facts_for"] = {
        name: [list(triple(fact)[1:]) for fact in reversed(subject_facts(facts, [name]))] for name in subjects
    }
    return compared(case["expected"], got)


def ordered(case: Case) -> Outcome:
    """Look in which order a view with everything on stands, and what stays when only the recalled turns differ."""
    known = resolved([Assertion("f1", "add", "user", "name", "Naomi", evidence=(Evidence("m1", Moment(0, 1)),))])
    notes = with_own(notes_message("They met.", "en"), own_facts(known))
    system, new = Message("system", content="Be brief."), Message("user", content="now")
    one, two = Message("user", content="a", seq=1), Message("assistant", content="b", seq=2)
    views = [
        parse_policy({"policy": "summary_window"}).view(
            (one, two, new),
            system=system,
            inputs=1,
            earlier=Earlier(notes=Notes(notes, covers_up_to=0), recalled=Message("user", content=text)),
        )
        for text in ("first", "second")
    ]
    names = {id(system): "system", id(notes): "notes", id(one): "window", id(two): "window", id(new): "input"}
    order = [names.get(id(message), "recalled") for message in views[0].messages]
    pairs = zip(order, views[0].messages, views[1].messages, strict=True)
    same = [name for name, _, _ in takewhile(lambda pair: pair[1] == pair[2], pairs)]
    return compared(case["expected"], {"order": list(dict.fromkeys(order)), "prefix_equal_up_to": same[-1]})


def _of_a_peer(output: str) -> Iterator[tuple[str, ...]]:
    """Read LangChain's text form, whose objects may hold its own separator."""
    for part in output.split("<|>"):
        yield tuple(part.strip().removeprefix("(").removesuffix(")").split(", ", 2))


def _assertions(fact: Mapping[str, Any]) -> Iterator[Assertion]:
    """Write a known fact as the assertions that it came from."""
    evidence = tuple(Evidence(item_id, Moment(0, fact["seq"])) for item_id in fact["item_ids"])
    pinned = bool(fact.get("pinned"))
    yield Assertion(
        id=fact["id"],
        op="add",
        subject=fact["subject"],
        predicate=fact["predicate"],
        object=fact["object"],
        cardinality=fact.get("cardinality", "many"),
        evidence=evidence,
        valid_from=fact.get("valid_from"),
    )
    if pinned or fact.get("status") == "retracted":
        yield Assertion(
            id=f"{fact['id']}-then",
            op="retract" if fact.get("status") == "retracted" else "add",
            subject=fact["subject"],
            predicate=fact["predicate"],
            object=fact["object"],
            cardinality=fact.get("cardinality", "many"),
            evidence=evidence,
            replaces=fact["id"] if fact.get("status") == "retracted" else None,
            valid_from=fact.get("valid_to"),
            correction=False,
            pinned=pinned,
        )


def _candidate(output: Mapping[str, Any], known: list[Mapping[str, Any]]) -> Candidate:
    replaces = output.get("replaces")
    return Candidate(
        op=output.get("op", "add"),
        subject=output.get("subject", ""),
        predicate=output.get("predicate", ""),
        object=output.get("object", ""),
        kind=output.get("kind", "profile"),
        cardinality=output.get("cardinality", "many"),
        valid_from=output.get("valid_from"),
        replaces=known[replaces - 1]["id"] if isinstance(replaces, int) else replaces,
        evidence=tuple(output.get("item_ids", ())),
    )


def _digest(fact: Mapping[str, Any]) -> str:
    return fact_digest(fact["subject"], fact["predicate"], fact["object"])
