"""Checks a JSON value against OpenAI's own schema of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema.exceptions import ValidationError, relevance

from tests.schema_unions import validator_of

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

OPEN_RESPONSES = [
    "id",
    "object",
    "created_at",
    "completed_at",
    "status",
    "incomplete_details",
    "model",
    "previous_response_id",
    "instructions",
    "output",
    "error",
    "tools",
    "tool_choice",
    "truncation",
    "parallel_tool_calls",
    "text",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
    "reasoning",
    "usage",
    "max_output_tokens",
    "max_tool_calls",
    "store",
    "background",
    "service_tier",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
]
"""What Open Responses (specification of 2026-04-24) requires in a response, null included."""

_SCHEMA = Path(__file__).parent / "schemas" / "openai.json"


@cache
def _components() -> dict[str, Any]:
    components: dict[str, Any] = json.loads(_SCHEMA.read_text("utf-8"))["components"]
    return components


@cache
def validator(name: str) -> Draft202012Validator:
    """Return the validator of ``#/components/schemas/NAME``."""
    if name not in _components()["schemas"]:
        raise KeyError(name)
    return validator_of({"$ref": f"#/components/schemas/{name}", "components": _components()})


def assert_valid(value: object, name: str) -> None:
    """Check a JSON value against OpenAI's schema of this name.

    Raises
    ------
    AssertionError
        It does not validate; the message has the path and the reason, in a union those of the branch whose
        ``type`` is the value's.
    """
    errors = sorted(validator(name).iter_errors(value), key=relevance, reverse=True)
    if errors:
        deepest = _deepest(errors[0])
        message = f"not a valid {name} at {deepest.json_path}: {deepest.message[:500]}"
        raise AssertionError(message)


def _deepest(error: ValidationError) -> ValidationError:
    """Return the error in the branch that was meant: the one that has nothing against the ``type``."""
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [
        inner
        for inner in branches.values()
        if not any(tuple(part.relative_path) in {("type",), ()} and _is_type(part) for part in inner)
    ]
    if not meant:
        return error
    return _deepest(max(meant[0], key=relevance))


def _is_type(error: ValidationError) -> bool:
    """Tell whether an error means that a branch is another kind of value altogether."""
    if error.relative_path:
        return error.validator in {"enum", "const"}
    return error.validator == "type"
