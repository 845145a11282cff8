"""Finish a built template: ``python -m tools.built_template BUILT FINISHED ARCHITECTURE PARAMETERS``.

Two things that ``sam build`` leaves open break a stack without a word. The artefacts hold machine code, and
``sam deploy`` would put them into functions of another architecture: with one allowed value, CloudFormation refuses.
And SAM publishes a version when a function's text in the template changes, not when a parameter that it refers to does
(https://github.com/aws/serverless-application-model/issues/3820): so the text tells the parameters of a deployment.
Runs in SAM's environment.
"""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FUNCTION = "AWS::Serverless::Function"


def finish(text: str, architecture: str, parameters: Mapping[str, str]) -> str:
    """Write down in a built template for which architecture it was built and with which parameters it is deployed.

    Parameters
    ----------
    text
        The template as ``sam build`` wrote it.
    architecture
        The default and the only allowed value of the parameter ``Architecture`` from now on.
    parameters
        Overrides. Their digest stands in each function's description, which is a part of its configuration: Lambda
        publishes no version of one that has not changed.
    """
    from samcli.yamlhelper import yaml_dump, yaml_parse

    template = yaml_parse(text)
    template["Parameters"]["Architecture"].update(Default=architecture, AllowedValues=[architecture])
    if parameters:
        digest = sha256(json.dumps(dict(sorted(parameters.items()))).encode()).hexdigest()[:12]
        for resource in template["Resources"].values():
            if resource["Type"] == FUNCTION:
                properties = resource["Properties"]
                properties["Description"] = f"{properties.get('Description', '')} (parameters {digest})".strip()
    written: str = yaml_dump(template)
    return written


if __name__ == "__main__":
    built, finished = map(Path, sys.argv[1:3])
    text = finish(built.read_text(encoding="utf-8"), sys.argv[3], json.loads(sys.argv[4]))
    finished.write_text(text, encoding="utf-8")
