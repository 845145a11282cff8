"""What ``sam deploy`` is told: ``python -m tools.deployment STAGE [OPTION…]``, in SAM's environment.

samconfig.toml and the options of a command line are read by SAM's own parser, and what holds is written as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tools.environment import say
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEMPLATE = ROOT / "template.yaml"
CONFIGURATION = ROOT / "samconfig.toml"


class WrongOptions(Exception):
    """SAM does not take the options, or asked for no deployment; it has said why."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a stack goes, and what it is told.

    Parameters
    ----------
    stack_name
        Of the stage's stack.
    parameters
        Overrides of the template's parameters, by name.
    architecture
        The parameter ``Architecture`` as it will be: overridden, or the template's default.
    region, profile
        Where SAM is told them; else they come from the AWS CLI's own configuration.
    """

    stack_name: str
    parameters: Mapping[str, str]
    architecture: str
    region: str | None
    profile: str | None

    def session(self) -> Any:
        """Make boto3's session where the stack is."""
        import boto3

        return boto3.Session(region_name=self.region, profile_name=self.profile)


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a stack."""

    name: str
    value: str
    description: str


def described_outputs(session: Any, stack_name: str) -> list[Output]:
    """Read the outputs of a deployed stack.

    Parameters
    ----------
    session
        boto3's.
    """
    [stack] = session.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    return [
        Output(output["OutputKey"], output["OutputValue"], output.get("Description", ""))
        for output in stack.get("Outputs", [])
    ]


def outputs(session: Any, stack_name: str) -> Mapping[str, str]:
    """Read the values of the outputs of a deployed stack; see `described_outputs`."""
    return {output.name: output.value for output in described_outputs(session, stack_name)}


def read(stage: str, options: Sequence[str] = ()) -> Deployment:
    """Read a stage of samconfig.toml, and the options of ``sam deploy`` that go before it.

    Raises
    ------
    WrongOptions
        If SAM does not take them.
    """
    from click import ClickException
    from click.exceptions import Exit
    from samcli.cli.context import Context
    from samcli.commands.deploy.command import cli
    from samcli.yamlhelper import yaml_parse

    arguments = ["--config-file", str(CONFIGURATION), "--config-env", stage, *options]
    try:
        parsed = cli.make_context("deploy", arguments)
    except ClickException as wrong:
        wrong.show()
        raise WrongOptions from None
    except Exit:  # of --help
        raise WrongOptions from None
    sam = parsed.find_object(Context)
    parameters = dict(parsed.params["parameter_overrides"] or {})
    default = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Parameters"]["Architecture"]["Default"]
    return Deployment(
        stack_name=parsed.params["stack_name"],
        parameters=parameters,
        architecture=str(parameters.get("Architecture", default)),
        region=sam.region,
        profile=sam.profile,
    )


def main() -> int:
    """Run the command line."""
    if len(sys.argv) < 2:
        say("usage: python -m tools.deployment STAGE [OPTION…]")
        return 2
    try:
        print(json.dumps(asdict(read(sys.argv[1], sys.argv[2:]))))
    except WrongOptions:
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
