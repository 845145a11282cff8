"""A validator of JSON Schema that knows the branch of a union by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from jsonschema.exceptions import ValidationError

DISCRIMINATORS = ("type", "role")
"""What tells the branches of OpenAI's unions apart."""


def validator_of(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Make a validator whose verdicts and errors are those of `Draft202012Validator`.

    That one goes through a union branch by branch, and an event of a stream has 58, each with the errors that tell why
    it is not the one. Here a value that says what it is goes to the branch of that name first; if it is valid there,
    and every other branch is of another name, that is all.
    """
    own = {keyword: _meant_first(keyword) for keyword in ("anyOf", "oneOf")}
    made: Draft202012Validator = extend(Draft202012Validator, own)(schema)  # type: ignore[no-untyped-call]
    return made


def _meant_first(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    every = Draft202012Validator.VALIDATORS[keyword]
    known: dict[int, list[tuple[Any, dict[str, Any]]]] = {}  # a union's list is as old as its schema

    def errors(
        validator: Draft202012Validator, branches: Sequence[Any], instance: Any, schema: Any
    ) -> Iterator[ValidationError]:
        if isinstance(instance, dict):
            if id(branches) not in known:
                known[id(branches)] = [(branch, _names(validator, branch)) for branch in branches]
            meant = (branch for branch, names in known[id(branches)] if not _is_another(names, instance))
            valid = (branch for branch in meant if next(iter(validator.descend(instance, branch)), None) is None)
            if next(valid, None) is not None and (keyword == "anyOf" or next(valid, None) is None):
                return
        yield from every(validator, branches, instance, schema)

    return errors


def _names(validator: Draft202012Validator, branch: Any) -> dict[str, Any]:
    """Find which values a branch allows its discriminators, where it has any."""
    resolver: Any = validator._resolver  # type: ignore[attr-defined]
    while isinstance(branch, dict) and "$ref" in branch:
        branch = resolver.lookup(branch["$ref"]).contents
    properties = branch.get("properties", {}) if isinstance(branch, dict) else {}
    own = {name: properties[name] for name in DISCRIMINATORS if isinstance(properties.get(name), dict)}
    const = {name: [rule["const"]] for name, rule in own.items() if "const" in rule}
    return {name: rule["enum"] for name, rule in own.items() if "enum" in rule} | const


def _is_another(names: Mapping[str, Any], instance: Mapping[str, Any]) -> bool:
    return any(name in instance and instance[name] not in allowed for name, allowed in names.items())
