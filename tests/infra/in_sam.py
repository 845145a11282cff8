"""What SAM makes of this project, told line by line: ``python -m tests.infra.in_sam`` in SAM's environment.

SAM takes a second to start: one process serves a session. A line is a JSON list, a function's name and its arguments;
the answer is a line of JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools import built_template, deployment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def read(file: str, lines: Sequence[tuple[str, Sequence[str]]]) -> list[dict[str, Any]]:
    """Read stages of a samconfig.toml, each with the options of a command line."""
    deployment.CONFIGURATION = Path(file)
    return [asdict(deployment.read(stage, options)) for stage, options in lines]


def versions(template: str, parameters: Mapping[str, str]) -> list[str]:
    """Give the logical ids of the versions that SAM's transform makes of a template when it is finished."""
    from samcli.yamlhelper import yaml_parse
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    finished = yaml_parse(built_template.finish(Path(template).read_text("utf-8"), "x86_64", parameters))
    for resource in finished["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & set(resource["Properties"]):
            resource["Properties"][name] = "s3://bucket/" + resource["Properties"][name]
    values = {name: parameter["Default"] for name, parameter in finished["Parameters"].items()}
    translated = Translator({}, Parser()).translate(finished, {**values, **parameters})
    return [name for name, one in translated["Resources"].items() if one["Type"] == "AWS::Lambda::Version"]


if __name__ == "__main__":
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer = read(*arguments) if name == "read" else versions(*arguments)
        print(json.dumps(answer), flush=True)  # noqa: T201
