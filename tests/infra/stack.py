"""The template as the tests of the infrastructure see it."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from local.cloudformation import Resolver, load_template

ROOT = Path(__file__).resolve().parents[2]
EVENTS = sorted((ROOT / "events").glob("*.json"))
FUNCTION = "AWS::Serverless::Function"


@cache
def template() -> dict[str, Any]:
    """Read template.yaml, intrinsic functions in their long form."""
    return load_template(ROOT / "template.yaml")


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Return the resources of a type by their logical ids."""
    return {name: resource for name, resource in template()["Resources"].items() if resource["Type"] == kind}


def only(kind: str) -> dict[str, Any]:
    """Return the one resource of a type."""
    [resource] = resources(kind).values()
    return resource


def functions() -> dict[str, dict[str, Any]]:
    """Return the properties of each function, without the globals."""
    return {name: resource["Properties"] for name, resource in resources(FUNCTION).items()}


def function_globals() -> dict[str, Any]:
    """Return what all functions share."""
    shared: dict[str, Any] = template()["Globals"]["Function"]
    return shared


def declared_environment(function: str) -> dict[str, Any]:
    """Return a function's environment variables as they are written, SAM's globals among them."""
    own = functions()[function].get("Environment", {}).get("Variables", {})
    return {**function_globals()["Environment"]["Variables"], **own}


def resolver(**parameters: Any) -> Resolver:
    """Give the template's values as a deployment with these parameters, and the others' defaults, has them."""
    changed = copy.deepcopy(template())
    for name, value in parameters.items():
        changed["Parameters"][name]["Default"] = value
    return Resolver(changed)


def environment(function: str, **parameters: Any) -> dict[str, str]:
    """Return a function's environment variables as `resolver` gives them."""
    resolved = resolver(**parameters)
    return {name: str(resolved.resolve(value)) for name, value in declared_environment(function).items()}


def statements(function: str) -> list[dict[str, Any]]:
    """Return the statements of a function's policies; each policy must be one written here."""
    return [statement for policy in functions()[function]["Policies"] for statement in policy["Statement"]]


def routes() -> dict[tuple[str, str], str]:
    """Return the function of each route: method and path."""
    return {
        (event["Properties"]["Method"].upper(), event["Properties"]["Path"]): name
        for name, properties in functions().items()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "Api"
    }


def load_event(name: str) -> dict[str, Any]:
    """Read an event of events/ by its name."""
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return event


def as_list(value: Any) -> list[Any]:
    """Return what CloudFormation takes as one or as many as many."""
    return value if isinstance(value, list) else [value]
