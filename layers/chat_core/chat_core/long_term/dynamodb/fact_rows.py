"""How facts stand in the table: a row for what a fold found, one for each correction and each thing forgotten."""

from __future__ import annotations

from dataclasses import asdict, replace
from secrets import randbits
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chat_core.history.dynamodb.packing import packed, unpacked
from chat_core.history.dynamodb.rows import Row, earliest, expiry, key, number, read_int, read_text, text
from chat_core.history.dynamodb.table import expressed
from chat_core.keys import (
    Address,
    correction_sort_key,
    facts_partition_key,
    facts_sort_key,
    item_id,
    parse_item_id,
    tombstone_sort_key,
)
from chat_core.long_term.fact_store import Found, Known
from chat_core.long_term.facts import Assertion, Evidence, Tombstone
from chat_core.long_term.facts.records import Moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from chat_core.history import Head
    from chat_core.history.dynamodb.packing import Attribute
    from chat_core.history.dynamodb.table import Table

STATE = "state"
"""Sort key of the row that tells how often something was forgotten, and a version of all of the user's facts.

It is there before any fact is.
"""

_BEGIN_BITS = 48
"""A count begins anywhere, so that one that was erased with its user is not met again."""

Action = dict[str, Any]


def found_actions(head: Head, found: Found, table: Table) -> list[Action]:
    """Write what a fold found, for the fold's transaction; it fails if something was forgotten meanwhile.

    The row lasts as long as the newest of its evidence.
    """
    if not found.assertions:
        return []
    expires_at = earliest(head.ends_at, table.expiry(max(one.moment.at for one in found.assertions)))
    user = head.address.user
    row = {
        **key(facts_partition_key(user), facts_sort_key(head.address, head.incarnation, found.last)),
        "incarnation": text(head.incarnation),
        "conversation": text(head.conversation),
        "first": number(found.first),
        "last": number(found.last),
        "revision": number(0),
        "facts": _packed(found.assertions),
        **expiry(expires_at),
    }
    same, begin = "#forgotten = :forgotten", ""
    if not found.forgotten:
        same, begin = "attribute_not_exists(#forgotten)", _BEGIN
    state = _state(user, {"forgotten": number(found.forgotten)}, condition=same, more=begin)
    return [state, {"Put": {"Item": row}}]


def correction_action(user: str, correction: Assertion, table: Table) -> Action:
    """Write a person's correction beside the conversation in which its fact was said."""
    address = Address(user, correction.conversation)
    row = {
        **key(facts_partition_key(user), correction_sort_key(address, correction.replaces or "", correction.id)),
        "conversation": text(correction.conversation),
        "facts": _packed([correction]),
        **expiry(table.expiry(correction.moment.at)),
    }
    return {"Put": {"Item": row}}


def tombstone_action(user: str, tombstone: Tombstone) -> Action:
    """Write what is to be forgotten; it ends with the user alone."""
    moment = {"at": number(tombstone.moment.at), "seq": number(tombstone.moment.seq)}
    return {"Put": {"Item": {**key(facts_partition_key(user), tombstone_sort_key(tombstone.digest)), **moment}}}


def forgetting_action(user: str, seen: Known) -> Action:
    """Count that something is forgotten, unless anything has changed since."""
    values = {"version": text(seen.version), "one": number(1)}
    same = "#version = :version" if seen.version else "attribute_not_exists(#version)"
    return _state(user, values, condition=same, more=" ADD #forgotten :one" if seen.forgotten else _BEGIN)


def changing_action(user: str) -> Action:
    """Tell that the user's facts change, whatever they were."""
    return _state(user, {})


_BEGIN = ", #forgotten = :begin"


def _state(user: str, values: Mapping[str, Attribute], *, condition: str = "", more: str = "") -> Action:
    checked = {"ConditionExpression": condition} if condition else {}
    new = {**values, "new_version": text(uuid4().hex), "begin": number(1 + randbits(_BEGIN_BITS))}
    change = expressed(new, UpdateExpression=f"SET #version = :new_version{more}", **checked)
    return {"Update": {"Key": key(facts_partition_key(user), STATE), **change}}


def rewritten(row: Row, left: Iterable[Assertion]) -> Action:
    """Replace what a row tells by what is left of it, unless somebody else changed it meanwhile."""
    kept = list(left)
    same = expressed({"revision": row["revision"]}, ConditionExpression="#revision = :revision")
    if not kept:
        return {"Delete": {"Key": {"pk": row["pk"], "sk": row["sk"]}, **same}}
    new = {**row, "facts": _packed(kept), "revision": number(read_int(row, "revision") + 1)}
    return {"Put": {"Item": new, **same}}


def without_items(row: Row, seqs: Collection[int]) -> Action | None:
    """Take the evidence of erased items out of a row; None where it has none of theirs."""
    before = assertions_of(row)
    left = [one for each in before if (one := _without(each, seqs)).evidence]
    return None if tuple(left) == before else rewritten(row, left)


def inherited_row(row: Row, head: Head) -> Row | None:
    """Write what of a row a branch takes along that has this head; None where that is nothing.

    A fact keeps its id: where both conversations are joined it is one. Its evidence are the branch's own items.
    """
    user, address = head.address.user, head.address
    told = assertions_of(row)
    if not is_found(row):
        (correction,) = told
        sort_key = correction_sort_key(address, correction.replaces or "", correction.id)
        return {**row, **key(facts_partition_key(user), sort_key), "conversation": text(head.conversation)}
    kept = [
        replace(one, evidence=tuple(_own(each, head) for each in one.evidence if each.moment.seq <= head.seq))
        for one in told
    ]
    kept = [one for one in kept if one.evidence]
    if not kept:
        return None
    last = min(read_int(row, "last"), head.seq)
    return {
        **row,
        **key(facts_partition_key(user), facts_sort_key(address, head.incarnation, last)),
        "incarnation": text(head.incarnation),
        "conversation": text(head.conversation),
        "last": number(last),
        "facts": _packed(kept),
        **expiry(earliest(head.ends_at, read_int(row, "expires_at") or None)),
    }


def _own(evidence: Evidence, head: Head) -> Evidence:
    """Name the branch's copy of an item: it has the same place."""
    kind, place = evidence.item_id.rpartition("_")[0], parse_item_id(evidence.item_id)
    return evidence if place is None else replace(evidence, item_id=item_id(kind, head.incarnation, place[1]))


def _without(assertion: Assertion, seqs: Collection[int]) -> Assertion:
    kept = tuple(one for one in assertion.evidence if one.moment.seq not in seqs)
    return assertion if len(kept) == len(assertion.evidence) else replace(assertion, evidence=kept)


def read_known(rows: Iterable[Row], table: Table) -> Known:
    """Read what stored rows tell; what was last said longer ago than the history reaches is not among it."""
    now = table.clock()
    assertions: list[Assertion] = []
    tombstones: list[Tombstone] = []
    forgotten, version = 0, ""
    for row in rows:
        if "facts" in row:
            assertions += [one for one in assertions_of(row) if (end := _end(one, table)) is None or end > now]
        elif "at" in row:
            digest = read_text(row, "sk").partition("#")[2]
            tombstones.append(Tombstone(digest, Moment(read_int(row, "at"), read_int(row, "seq"))))
        elif read_text(row, "sk") == STATE:
            forgotten, version = read_int(row, "forgotten"), read_text(row, "version")
    until = earliest(*(_end(one, table) for one in assertions))
    return Known(tuple(assertions), tuple(tombstones), forgotten, version, until)


def _end(assertion: Assertion, table: Table) -> int | None:
    return table.expiry(assertion.moment.at)


def is_found(row: Mapping[str, Attribute]) -> bool:
    """Whether a row is what a fold found."""
    return "incarnation" in row


def assertions_of(row: Mapping[str, Attribute]) -> tuple[Assertion, ...]:
    """Read the assertions of a row."""
    conversation = read_text(row, "conversation")
    return tuple(_assertion(value, conversation) for value in unpacked(row["facts"])[0])


def _packed(assertions: Iterable[Assertion]) -> Attribute:
    return packed(
        [{name: value for name, value in asdict(one).items() if name != "conversation"} for one in assertions]
    )


def _assertion(value: Mapping[str, Any], conversation: str) -> Assertion:
    evidence = tuple(
        Evidence(one["item_id"], Moment(one["moment"]["at"], one["moment"]["seq"]), one["said_by"])
        for one in value["evidence"]
    )
    return Assertion(**{**value, "evidence": evidence, "conversation": conversation})
