"""The rehearsed copy of the built template: the built one, but for what the emulator cannot do."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from local.cloudformation import load_template
from tests.rehearsal.emulator import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Place = tuple[str | int, ...]
_FUNCTION = "AWS::Serverless::Function"


class _Absent:
    """What stands where a template says nothing."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """A place of the template, and what stands there in the rehearsal."""

    place: Place
    value: Any


def changes(template: Mapping[str, Any], *, momento: str, model: str, aws: str) -> Iterator[Change]:
    """Yield everything in which the rehearsed copy may differ, and no more.

    Parameters
    ----------
    template
        The built one.
    momento
        ``host:port`` of the embedded Momento.
    model
        ``base_url`` of the stand-in model.
    aws
        Of the emulator.
    """
    # The pool's tokens name Cognito as their issuer; its keys are the emulator's.
    issuers = template["Resources"]["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]["ISSUERS"][
        "Fn::Sub"
    ]
    place = ("Resources", "AuthorizerFunction", "Properties", "Environment", "Variables", "ISSUERS", "Fn::Sub")
    yield Change(place, re.sub(r"\|https://[^|/]+/", f"|{aws}/", issuers, count=1))
    # The parts that stand in for Momento and the model speak plain text on this machine.
    yield Change(("Globals", "Function", "Environment", "Variables", "MOMENTO_LOCAL"), momento)
    yield Change(("Parameters", "OpenAIBaseUrl", "AllowedPattern"), "https?://.+")
    yield Change(("Parameters", "OpenAIBaseUrl", "Default"), model)
    # The emulator neither streams nor runs exec wrappers; without both a function answers with one body.
    for name, resource in template["Resources"].items():
        if resource["Type"] == _FUNCTION:
            properties = ("Resources", name, "Properties")
            variables = resource["Properties"].get("Environment", {}).get("Variables", {})
            if "AWS_LAMBDA_EXEC_WRAPPER" in variables:
                yield Change((*properties, "Environment", "Variables", "AWS_LAMBDA_EXEC_WRAPPER"), "")
            for event, what in resource["Properties"].get("Events", {}).items():
                # Nor does it know methods that take any other: the one route that has it is rehearsed with GET.
                if what["Type"] == "Api" and what["Properties"]["Method"] == "ANY":
                    yield Change((*properties, "Events", event, "Properties", "Method"), "GET")
                if "ResponseTransferMode" in what["Properties"]:
                    yield Change((*properties, "Events", event, "Properties", "ResponseTransferMode"), ABSENT)


def rehearse(source: Path, copied: Path, *, momento: str, model: str, aws: str) -> None:
    """Write the rehearsed copy of a built template.

    Raises
    ------
    Failed
        If it then differs from the built one in anything but the listed changes.
    """
    built = load_template(source)
    wanted = {change.place: change.value for change in changes(built, momento=momento, model=model, aws=aws)}
    rehearsed = copy.deepcopy(built)
    for place, value in wanted.items():
        _put(rehearsed, place, value)
    copied.write_text(yaml.safe_dump(rehearsed, sort_keys=False, allow_unicode=True), encoding="utf-8")
    found = {place: value for place, _, value in differences(built, load_template(copied))}
    if found != wanted:
        message = f"The rehearsed template differs from the built one in {found}; it may in {wanted}."
        raise Failed(message)


def differences(one: object, other: object, place: Place = ()) -> Iterator[tuple[Place, object, object]]:
    """Yield each place where two trees of maps and lists differ, with what stands there in each."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *(name for name in other if name not in one)]:
            yield from differences(one.get(name, ABSENT), other.get(name, ABSENT), (*place, name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, (*place, number))
    elif type(one) is not type(other) or one != other:
        yield place, one, other


def _put(tree: Any, place: Place, value: Any) -> None:
    *way, last = place
    for step in way:
        tree = tree[step]
    if value is ABSENT:
        del tree[last]
    else:
        tree[last] = value
