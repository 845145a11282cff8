"""Give the kept table and pool of a deleted stack to a new one: ``python -m tools.adopt STAGE TABLE POOL [OPTION…]``.

CloudFormation imports both into a stack that holds nothing else; ``make deploy`` then adds the rest. Run in SAM's
environment.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tools import deployment
from tools.environment import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHANGE_SET = "adopt"
_SHARED = ("AWSTemplateFormatVersion", "Description", "Mappings", "Conditions")


class NotAdopted(Exception):
    """CloudFormation does not import them; the message says why."""


def kept_part(template: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Take out of a template what is imported, and what that refers to.

    No other parameter: the stack would remember its value, and the deployment that follows would keep that.

    Parameters
    ----------
    template
        The whole one.
    names
        Logical ids of the resources.
    """
    resources = {name: template["Resources"][name] for name in names}
    text = json.dumps([resources, template.get("Conditions", {}) if "Fn::If" in json.dumps(resources) else {}])
    parameters = {
        name: value for name, value in template["Parameters"].items() if f'"{name}"' in text or f"${{{name}}}" in text
    }
    shared = {part: template[part] for part in _SHARED if part in template}
    if '"Fn::If"' not in text:
        shared.pop("Conditions", None)
    return {**shared, "Parameters": parameters, "Resources": resources}


def adopt(target: deployment.Deployment, table: str, pool: str) -> None:
    """Import a table and a user pool into a new stack, and wait for it.

    Raises
    ------
    NotAdopted
        If there is such a stack already, or one of them is missing or another stack's.
    """
    from botocore.exceptions import WaiterError
    from samcli.yamlhelper import yaml_parse

    found = {"HistoryTable": {"TableName": table}, "UserPool": {"UserPoolId": pool}}
    template = kept_part(yaml_parse(deployment.TEMPLATE.read_text(encoding="utf-8")), found)
    client = target.session().client("cloudformation")
    named = {"StackName": target.stack_name, "ChangeSetName": CHANGE_SET}
    client.create_change_set(
        **named,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            for name, value in target.parameters.items()
            if name in template["Parameters"]
        ],
        ResourcesToImport=[
            {
                "ResourceType": template["Resources"][name]["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": identifier,
            }
            for name, identifier in found.items()
        ],
    )
    try:
        client.get_waiter("change_set_create_complete").wait(**named, WaiterConfig={"Delay": 2})
        client.execute_change_set(**named)
        client.get_waiter("stack_import_complete").wait(StackName=target.stack_name, WaiterConfig={"Delay": 2})
    except WaiterError as failed:
        answer = failed.last_response
        stacks = answer.get("Stacks") or [{}]
        reason = answer.get("StatusReason") or stacks[0].get("StackStatusReason") or str(failed)
        raise NotAdopted(reason) from None


def main() -> int:
    """Run the command line."""
    from botocore.exceptions import BotoCoreError, ClientError

    if len(sys.argv) < 4:
        say("usage: python -m tools.adopt STAGE TABLE POOL [OPTION…]")
        return 2
    stage, table, pool, *options = sys.argv[1:]
    try:
        target = deployment.read(stage, options)
        adopt(target, table, pool)
    except deployment.WrongOptions:
        return 2
    except (NotAdopted, BotoCoreError, ClientError) as failed:
        say(str(failed))
        return 1
    say(f"{target.stack_name} has them now; make deploy adds the rest.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
