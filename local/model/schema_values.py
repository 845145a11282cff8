"""The smallest value that a JSON Schema allows, its texts and numbers taken from a source."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "stand-in@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
# Tried in turn where a schema has a pattern.
_PATTERN_TEXTS = (
    "",
    "a",
    "A",
    "0",
    "00",
    "000",
    "0000",
    "00000",
    "AA",
    "AAA",
    "aa",
    "a0",
    "A0",
    "a-0",
    "@a",
    "#000000",
    *_FORMATS.values(),
)


class ValueSource(Protocol):
    """Where the texts and numbers of a value come from."""

    def text(self, name: str) -> str:
        """Return the text for the property of this name."""

    def number(self) -> float | None:
        """Return the next number, if there is one."""


class _EndlessError(Exception):
    """A schema that requires itself has no finite value by this branch."""


def smallest_value(schema: Mapping[str, Any], source: ValueSource) -> Any:
    """Return a value for a schema: required properties and items only.

    Local references, ``enum``, ``const``, the combining keywords, bounds, lengths, common formats and simple
    patterns are obeyed; a value for another keyword (``not``, ``dependentRequired``, …) may not validate.
    """
    try:
        return _Builder(schema, source).build(schema)
    except _EndlessError:
        return {}


@dataclass(frozen=True)
class _Builder:
    root: Mapping[str, Any]
    source: ValueSource

    def build(self, schema: Any, name: str = "", refs: frozenset[str] = frozenset()) -> Any:
        if not isinstance(schema, dict):
            return self.source.text(name)
        if "$ref" in schema:
            schema = {**_without(schema, "$ref"), "allOf": [{"$ref": schema["$ref"]}, *schema.get("allOf", ())]}
        if "allOf" in schema:
            return self._all_of(schema, name, refs)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._first_branch(schema, keyword, name, refs)
        fixed = [schema["const"]] if "const" in schema else schema.get("enum")
        return fixed[0] if fixed else self._by_type(schema, name, refs)

    def _resolved(self, ref: str) -> Any:
        value: Any = self.root
        for part in ref.removeprefix("#").strip("/").split("/"):
            if part:
                value = value.get(part.replace("~1", "/").replace("~0", "~"), {})
        return value

    def _all_of(self, schema: Mapping[str, Any], name: str, refs: frozenset[str]) -> Any:
        parts = [_without(schema, "allOf")]
        for part in schema["allOf"]:
            if "$ref" in part and part["$ref"] in refs:
                raise _EndlessError
            refs |= {part["$ref"]} if "$ref" in part else frozenset()
            parts.append(self._resolved(part["$ref"]) if "$ref" in part else part)
        return self.build(_merged(parts), name, refs)

    def _first_branch(
        self,
        schema: Mapping[str, Any],
        keyword: str,
        name: str,
        refs: frozenset[str],
    ) -> Any:
        for branch in schema[keyword]:
            try:
                return self.build(_merged([_without(schema, keyword), branch]), name, refs)
            except _EndlessError:
                continue
        raise _EndlessError

    def _by_type(self, schema: Mapping[str, Any], name: str, refs: frozenset[str]) -> Any:
        kind = schema.get("type") or _implied_type(schema)
        value: Any = None
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                value = self._object(schema, refs)
            case "array":
                value = self._array(schema, name, refs)
            case "integer":
                value = _number(schema, self.source.number(), whole=True)
            case "number":
                value = _number(schema, self.source.number(), whole=False)
            case "boolean":
                value = False
            case "string":
                value = _string(schema, self.source.text(name))
        return value

    def _object(self, schema: Mapping[str, Any], refs: frozenset[str]) -> dict[str, Any]:
        properties = schema.get("properties", {})
        return {name: self.build(properties.get(name, {}), name, refs) for name in schema.get("required", ())}

    def _array(self, schema: Mapping[str, Any], name: str, refs: frozenset[str]) -> list[Any]:
        first = schema.get("prefixItems", [])
        count = schema.get("minItems", 0)
        schemas = [*first, *[schema.get("items", {})] * max(0, count - len(first))][:count]
        return [self.build(item, name, refs) for item in schemas]


def _without(schema: Mapping[str, Any], keyword: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != keyword}


def _merged(schemas: Iterable[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for schema in schemas:
        if not isinstance(schema, dict):
            continue
        properties = {**merged.get("properties", {}), **schema.get("properties", {})}
        required = list(dict.fromkeys([*merged.get("required", ()), *schema.get("required", ())]))
        merged.update(schema)
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = required
    return merged


def _implied_type(schema: Mapping[str, Any]) -> str:
    if {"properties", "required", "additionalProperties"} & schema.keys():
        return "object"
    if {"items", "prefixItems", "minItems"} & schema.keys():
        return "array"
    if {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} & schema.keys():
        return "number"
    return "string"


def _number(schema: Mapping[str, Any], wanted: float | None, *, whole: bool) -> float:
    low = max((schema[key] for key in ("minimum", "exclusiveMinimum") if key in schema), default=-math.inf)
    high = min((schema[key] for key in ("maximum", "exclusiveMaximum") if key in schema), default=math.inf)
    step = schema.get("multipleOf", 1 if whole else None)

    def allowed(value: float) -> bool:
        return (
            low <= value <= high
            and value not in (schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"))
            and not (whole and value != int(value))
            and (step is None or math.isclose(value / step, round(value / step), abs_tol=1e-9))
        )

    candidates = [0.0 if wanted is None else wanted, 0]
    for bound, towards in ((low, 1), (high, -1)):
        if math.isfinite(bound):
            unit = step or 1
            multiple = (math.ceil if towards > 0 else math.floor)(bound / unit) * unit
            candidates += [bound, multiple, multiple + towards * unit]
    if math.isfinite(low) and math.isfinite(high):
        candidates.append((low + high) / 2)
    chosen = next((value for value in candidates if allowed(value)), candidates[0])
    return int(chosen) if chosen == int(chosen) else chosen


def _string(schema: Mapping[str, Any], wanted: str) -> str:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    formatted = _FORMATS.get(schema.get("format", ""))
    fitted = (formatted or wanted).ljust(shortest, ".")[:longest]
    if "pattern" not in schema:
        return fitted
    texts = (fitted, *(text.ljust(shortest, text[-1:] or ".")[:longest] for text in _PATTERN_TEXTS))
    try:
        return next((text for text in texts if re.search(schema["pattern"], text)), fitted)
    except re.error:  # a pattern in a dialect that Python does not read
        return fitted
