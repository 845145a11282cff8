"""What a wrong request costs: one error is made of it, however many things are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chat.shapes import compaction, completions, embeddings, responses
from chat_core.api import shapes
from chat_core.api.shapes import Wire
from history import shapes as history_shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = (compaction, completions, embeddings, history_shapes, responses, shapes)
WIRES = sorted(
    {
        found
        for module in MODULES
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Wire)
    },
    key=lambda wire: wire.__qualname__,
)


def schema_of(wire: type[Wire]) -> Any:
    """Give a shape's schema, which is built on first use."""
    wire.model_rebuild()
    return wire.__pydantic_core_schema__


def containers(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the lists and objects of a schema whose elements can be wrong."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        inner = (
            schema.get("items_schema") if kind == "list" else schema.get("values_schema") if kind == "dict" else None
        )
        if isinstance(inner, dict) and inner.get("type") != "any":
            yield schema
        for child in schema.values():
            yield from containers(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from containers(child)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.__qualname__)
def test_every_list_and_object_fails_at_the_first(wire: type[Wire]) -> None:
    found = list(containers(schema_of(wire)))
    assert [schema for schema in found if schema.get("fail_fast") is not True] == []


def test_there_are_such_lists_and_objects() -> None:
    assert sum(len(list(containers(schema_of(wire)))) for wire in WIRES) >= 10
