"""The deployed stack as its owner has it: commands in a shell, the outputs, and what AWS holds."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.rehearsal.emulator import REGION, Failed
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.rehearsal.emulator import Emulator

COMMAND_SECONDS = 600
ALIAS = "live"


def commands(page: Path, heading: str) -> list[str]:
    """Read the commands of a section's console blocks, each without its prompt."""
    text = page.read_text(encoding="utf-8")
    level = len(heading) - len(heading.lstrip("#"))
    section = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.M | re.S)
    if section is None:
        message = f"{page.name} has no section {heading}."
        raise Failed(message)
    blocks = re.findall(r"^```console\n(.*?)^```", section[1], re.M | re.S)
    joined = "".join(blocks).replace("\\\n", " ")
    return [re.sub(r"\s+", " ", line[2:]).strip() for line in joined.splitlines() if line.startswith("$ ")]


@dataclass
class Stack:
    """A stack and the shell of its owner.

    Parameters
    ----------
    name
        Of the stack.
    emulator
        Its AWS.
    variables
        What the owner has set, beside the account.
    """

    name: str
    emulator: Emulator
    variables: dict[str, str] = field(default_factory=dict)

    def run(
        self, command: str, variables: Mapping[str, str] | None = None, *, answer: str = "", fails: bool = False
    ) -> str:
        """Run a command line of the owner's and return what it wrote.

        Parameters
        ----------
        variables
            Set for this command alone.
        answer
            What the owner types.
        fails
            Whether it is to fail.

        Raises
        ------
        Failed
            If it ends otherwise.
        """
        done = subprocess.run(  # noqa: S603
            ["sh", "-euc", command],  # noqa: S607
            cwd=ROOT,
            env={**self.emulator.variables, **self.variables, **(variables or {})},
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if (done.returncode != 0) is not fails:
            message = f"$ {command}\n{done.stdout}\nended with {done.returncode}."
            raise Failed(message)
        return done.stdout

    def client(self, service: str) -> Any:
        """Make boto3's client of a service, to look at what the owner's commands did."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.emulator.url,
            region_name=REGION,
            aws_access_key_id="fake",
            aws_secret_access_key="fake",
        )

    def outputs(self) -> Mapping[str, str]:
        """Read the stack's outputs, the API's address as the emulator has it."""
        [stack] = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: self.here(output["OutputValue"]) for output in stack["Outputs"]}

    def here(self, text: str) -> str:
        """Write the API's address as the emulator has it."""
        return re.sub(
            r"https://(\w+)\.execute-api\.[\w.-]+/(\w+)/",
            rf"{self.emulator.url}/restapis/\1/\2/_user_request_/",
            text,
        )

    def resources(self) -> Mapping[str, list[str]]:
        """List what AWS holds of the kinds that the template makes, whosever it is."""
        secrets = self.client("secretsmanager").list_secrets()["SecretList"]
        pools = self.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
        functions, layers = self.client("lambda"), self.client("lambda").list_layers()["Layers"]
        return {
            "tables": self.client("dynamodb").list_tables()["TableNames"],
            "secrets": [secret["ARN"] for secret in secrets],
            "user pools": [pool["Id"] for pool in pools],
            "functions": [one["FunctionName"] for one in functions.list_functions()["Functions"]],
            "event sources": [one["UUID"] for one in functions.list_event_source_mappings()["EventSourceMappings"]],
            "layers": [one["LayerName"] for one in layers],
            "APIs": [one["id"] for one in self.client("apigateway").get_rest_apis().get("items", [])],
            "roles": [one["RoleName"] for one in self.client("iam").list_roles()["Roles"]],
            "log groups": self._log_groups(),
        }

    def _log_groups(self) -> list[str]:
        # The template's have a retention. A line that comes after the deletion makes one without, which is no
        # resource of the stack.
        groups = self.client("logs").describe_log_groups()["logGroups"]
        return [group["logGroupName"] for group in groups if "retentionInDays" in group]

    def versions(self) -> Mapping[str, str]:
        """Read the version that each function's alias names."""
        client = self.client("lambda")
        return {
            name: client.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
            for name in self.resources()["functions"]
        }

    def logged(self) -> str:
        """Read what the functions logged, a line each."""
        client = self.client("logs")
        return "\n".join(
            event["message"]
            for group in self.resources()["log groups"]
            for event in client.filter_log_events(logGroupName=group)["events"]
        )
