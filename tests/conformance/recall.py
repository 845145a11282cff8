"""Cases of recall: which of the candidates are shown. What scores them is injected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.long_term.recall import Candidate, Limits, Scale, digest, rank, speeches
from tests.chat_messages import from_chat
from tests.conformance.cases import compared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conformance.cases import Case, Outcome

Given = dict[str, Any]

FIELDS = ("k", "min_score", "relative", "max_tokens", "neighbours")


def run(case: Case) -> Outcome:
    """Rank a case's candidates; of one that has a turn's messages instead, that turn is what was found."""
    params = case.get("params", {})
    given: list[Given] = case.get("candidates", [])
    if "max_distance" in params:
        params = {**params, "min_score": 1 - params["max_distance"]}
    limits = Limits(**{name: params[name] for name in FIELDS if name in params})
    messages = from_chat(case.get("messages", []))
    if messages and not given:
        given = [{"id": "turn", "seq": len(messages), "content": "", "score": 1.0}]
    visible = [one for one in given if _visible(one, params)]
    ranking = rank([_candidate(one) for one in visible if not _in_window(one, params)], limits, Scale())
    names = {(one.get("session", ""), one["seq"]): one["id"] for one in given}
    retained = [names[one.candidate.conversation, one.candidate.seq] for one in ranking.shown]
    if messages:
        retained = [message.id for message in speeches(messages)] if retained else []
    got: Given = {
        "retained": retained,
        "order": "chronological" if list(ranking.shown) == sorted(ranking.shown, key=_said_at) else "another",
        "left_out": {names[one.candidate.conversation, one.candidate.seq]: one.reason for one in ranking.left_out},
        "degraded": None if all("cos" in one or "score" in one for one in given) else "lexical_only",
    }
    return compared(case["expected"], got)


def _visible(one: Given, params: Mapping[str, Any]) -> bool:
    """Whether the index would be asked for it: another user's never, another conversation's where both sides say so."""
    if one.get("user", params.get("user")) != params.get("user") or one.get("erased"):
        return False
    if one.get("session", params.get("session")) == params.get("session"):
        return True
    return params.get("scope") == "user" and one.get("scope", "user") == "user"


def _in_window(one: Given, params: Mapping[str, Any]) -> bool:
    return one["seq"] in params.get("recent_window_seqs", ()) or bool(one.get("in_window"))


def _candidate(one: Mapping[str, Any]) -> Candidate:
    score = one.get("score")
    return Candidate(
        one.get("session", ""),
        seq=one["seq"],
        items=1,
        place=one.get("turn", one["seq"]),
        lex=one.get("lex", score if score is not None else 0.0),
        cos=one.get("cos", score),
        tokens=one.get("tokens", 0),
        digest=digest(one["content"]),
        created_at=one.get("created_at", one["seq"]),
        expired=bool(one.get("expired")),
    )


def _said_at(judged: Any) -> tuple[int, int]:
    return judged.candidate.created_at, judged.candidate.seq
