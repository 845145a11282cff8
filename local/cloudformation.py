"""Reads a CloudFormation template: its YAML tags and those intrinsic functions that have a meaning on one machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # a tenth of the time, at each start
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

# What `!Ref` gives for a resource that has a name of its own.
_NAME_PROPERTIES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::Serverless::Function": "FunctionName",
}
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


class TemplateError(ValueError):
    """The template says something that the dev server cannot follow; the message names it."""


class _Loader(SafeLoader):
    """YAML with CloudFormation's short forms: ``!Ref x`` is ``{"Ref": "x"}``, ``!Sub x`` is ``{"Fn::Sub": "x"}``."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def load_template(path: Path) -> dict[str, Any]:
    """Read a template's YAML, short forms of intrinsic functions written out.

    Raises
    ------
    TemplateError
        If it cannot be read, or is not a template.
    """
    try:
        template = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - it is a SafeLoader
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        message = f"{path} cannot be read: {error}"
        raise TemplateError(message) from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        message = f"{path} is not a CloudFormation template."
        raise TemplateError(message)
    return template


_NO_VALUE = object()


class Resolver:
    """Gives a template's values as CloudFormation would.

    Parameters
    ----------
    template
        As `load_template` returns it.
    parameters
        Of the deployment; the others have their defaults.
    region
        Of the pseudo parameter ``AWS::Region``.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, Any] | None = None,
        *,
        region: str = "us-east-1",
    ) -> None:
        self._template = template
        self._parameters = parameters or {}
        self._pseudo: dict[str, Any] = {
            "AWS::AccountId": "123456789012",
            "AWS::NoValue": _NO_VALUE,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackName": "omoide",
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::Equals": lambda pair: str(self.resolve(pair[0])) == str(self.resolve(pair[1])),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._attribute,
            "Fn::If": lambda parts: self.resolve(parts[1] if self._condition(parts[0]) else parts[2]),
            "Fn::Sub": self._sub,
        }

    def resources(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the logical id and the definition, unresolved, of each resource of a type whose condition holds."""
        for name, resource in self._template["Resources"].items():
            if resource.get("Type") == kind and self._condition(resource.get("Condition")):
                yield name, resource

    def resolve(self, value: Any) -> Any:
        """Return a value with every intrinsic function in it replaced by what it gives.

        Raises
        ------
        TemplateError
            If it uses a function, or refers to a thing, that is not known here.
        """
        if isinstance(value, dict):
            if len(value) == 1:
                [(name, argument)] = value.items()
                if name in self._functions:
                    return self._functions[name](argument)
                if str(name).startswith("Fn::"):
                    message = f"The template uses {name}, which the dev server does not know."
                    raise TemplateError(message)
            members = {name: self.resolve(inner) for name, inner in value.items()}
            return {name: inner for name, inner in members.items() if inner is not _NO_VALUE}
        if isinstance(value, list):
            return [inner for inner in map(self.resolve, value) if inner is not _NO_VALUE]
        return value

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        parameter = self._template.get("Parameters", {}).get(name)
        if parameter is not None:
            if "Default" not in parameter:
                message = f"The template's parameter {name} has no default."
                raise TemplateError(message)
            return parameter["Default"]
        resource = self._template["Resources"].get(name)
        if resource is None:
            message = f"The template refers to {name}, which it does not define."
            raise TemplateError(message)
        own_name = resource.get("Properties", {}).get(_NAME_PROPERTIES.get(resource.get("Type"), ""))
        return self.resolve(own_name) or name

    def _attribute(self, argument: str | list[Any]) -> str:
        """Stand in for an attribute: it is known in the cloud only, so it is told by its name."""
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return f"{self._ref(name)}.{attribute}"

    def _sub(self, argument: str | list[Any]) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def replace(found: re.Match[str]) -> str:
            literal, name = found.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(self.resolve(variables[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _PLACEHOLDER.sub(replace, text)

    def _find_in_map(self, keys: list[Any]) -> Any:
        name, first, second = (str(self.resolve(key)) for key in keys[:3])
        try:
            return self._template.get("Mappings", {})[name][first][second]
        except KeyError:
            message = f"The template's mapping {name} has no {first}.{second}."
            raise TemplateError(message) from None

    def _condition(self, name: str | None) -> bool:
        if name is None:
            return True
        conditions = self._template.get("Conditions", {})
        if name not in conditions:
            message = f"The template refers to the condition {name}, which it does not define."
            raise TemplateError(message)
        return bool(self.resolve(conditions[name]))
