"""The request object ``memory``: merged, checked, and read as a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chat_core.memory.add_ons import ADD_ONS, AddOns, parse_add_ons, switched
from chat_core.memory.fields import PolicySpec, names, refused
from chat_core.memory.registry import POLICIES

if TYPE_CHECKING:
    from chat_core.memory.policy import Folding, MemoryPolicy

_OF_A_TURN = ("read_only", "dry_run")


@dataclass(frozen=True, slots=True)
class TurnMemory:
    """What a turn's memory is.

    Parameters
    ----------
    policy
        Computes the turn's view.
    stored
        Computes what is kept for the next turn: the policy without the turn's override.
    add_ons, stored_add_ons
        What stands beside them.
    read_only
        The turn sees the memory and leaves no trace.
    dry_run
        The turn answers with its context, and no model is called.
    """

    policy: MemoryPolicy
    stored: MemoryPolicy
    add_ons: AddOns
    stored_add_ons: AddOns
    read_only: bool = False
    dry_run: bool = False


def merge_settings(stored: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Merge a change into settings, field by field; neither is checked beyond being an object.

    Another ``policy`` drops the fields of the old one, but keeps the add-ons. A null takes a field away, so that its
    default holds again; a false takes an add-on away even if the default has it.

    Raises
    ------
    InvalidRequest
        If the change is no object.
    """
    if not isinstance(change, Mapping):
        raise refused("", "must be an object")
    policy = change.get("policy")
    merged = dict(stored)
    if policy is not None and policy != stored.get("policy"):
        kept = [name for name in (*ADD_ONS, *_add_on_policies()) if name != policy]
        merged = {name: stored[name] for name in kept if name in stored}
    for name, value in change.items():
        before = merged.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            merged[name] = merge_settings(before, value)
        else:
            merged[name] = value
    return {name: value for name, value in merged.items() if value is not None}


def parse_policy(settings: Mapping[str, Any]) -> MemoryPolicy:
    """Read complete settings, as `merge_settings` with the default makes them.

    Raises
    ------
    InvalidRequest
        Naming the field (``memory.max_messages``) and what is allowed, or the policies that there are.
    """
    if not isinstance(settings, Mapping):
        raise refused("", "must be an object")
    name = settings.get("policy")
    spec = POLICIES.get(name) if isinstance(name, str) else None
    if spec is None:
        raise refused("policy", f"must be one of {names(tuple(POLICIES))}")
    parse_add_ons(settings)
    given = {
        field: value for field, value in settings.items() if field not in ("policy", *ADD_ONS) and value is not None
    }
    for field in _OF_A_TURN:
        if field in given:
            raise refused(field, "belongs to a turn, not to a conversation's settings")
    add_to = [] if spec.add_to else [POLICIES[one] for one in _add_on_policies()]
    added = [(one, switched(given.pop(one.name, None), one.name)) for one in add_to]
    policy = spec.build(_values(spec, given, others=(*(one.name for one in add_to), *ADD_ONS)))
    for one, value in added:
        if one.add_to and value is not None:
            policy = one.add_to(_values(one, value, under=f"{one.name}."), policy)
    return policy


def effective_settings(settings: Mapping[str, Any], override: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write out what settings come to: those given, an override merged into them, and the policy's defaults.

    Raises
    ------
    InvalidRequest
        As `parse_policy`.
    """
    change = {name: value for name, value in (override or {}).items() if name not in _OF_A_TURN}
    merged = merge_settings(settings, change)
    folding = parse_policy(merged).folding
    spec = POLICIES[merged["policy"]]
    beside = (*ADD_ONS, *_add_on_policies())
    given = {name: value for name, value in merged.items() if name in spec.fields and name not in beside}
    usual = {name: field.default for name, field in spec.fields.items() if field.default is not None}
    added = {
        name: value for name, value in merged.items() if name in beside and name != spec.name and value is not False
    }
    return {"policy": spec.name, **usual, **_of_folding(spec, folding), **given, **added}


def _of_folding(spec: PolicySpec, folding: Folding | None) -> dict[str, Any]:
    """Write out when a summary is due: what was not given follows from what was."""
    if folding is None or "keep" not in spec.fields:
        return {}
    due = {f"trigger_{folding.unit}": folding.trigger, "keep": folding.keep}
    return {**due, "max_summary_tokens": folding.max_summary_tokens}


def is_override(override: Mapping[str, Any] | None) -> bool:
    """Whether a turn's ``memory`` says more than how the turn is run."""
    return bool((override or {}).keys() - set(_OF_A_TURN))


def _add_on_policies() -> list[str]:
    """Name the policies that may stand beside another."""
    return [name for name, spec in POLICIES.items() if spec.add_to]


def parse_turn_settings(settings: Mapping[str, Any], override: Mapping[str, Any] | None) -> TurnMemory:
    """Read what a turn's own ``memory`` makes of the conversation's settings.

    Parameters
    ----------
    settings
        The stored ones merged into the default.
    override
        The request's ``memory``; None or empty when it has none.

    Raises
    ------
    InvalidRequest
        As `parse_policy`.
    """
    stored, beside = parse_policy(settings), parse_add_ons(settings)
    if not override:
        return TurnMemory(stored, stored, beside, beside)
    if not isinstance(override, Mapping):
        raise refused("", "must be an object")
    change = {name: value for name, value in override.items() if name not in _OF_A_TURN}
    policy, add_ons = stored, beside
    if change:
        merged = merge_settings(settings, change)
        policy, add_ons = parse_policy(merged), parse_add_ons(merged)
    return TurnMemory(policy, stored, add_ons, beside, *(_flag(override, name) for name in _OF_A_TURN))


def _flag(override: Mapping[str, Any], name: str) -> bool:
    value = override.get(name)
    if value is not None and not isinstance(value, bool):
        raise refused(name, "must be true or false")
    return value or False


def _values(
    spec: PolicySpec, given: Mapping[str, Any], *, others: tuple[str, ...] = (), under: str = ""
) -> dict[str, Any]:
    """Read the fields of one policy, defaults included."""
    for field in given:
        if field not in spec.fields:
            known = (*spec.fields, *others)
            has = f"has {names(known)}" if known else "has no fields"
            raise refused(under + field, f"is unknown: the policy `{spec.name}` {has}")
    return {
        name: field.default if given.get(name) is None else field.read(given[name], f"{under}{name}")
        for name, field in spec.fields.items()
    }
