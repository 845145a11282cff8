"""The deployed stack as its owner has it: commands in a shell, the outputs, and what AWS holds."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.rehearsal.emulator import Failed
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.rehearsal.emulator import Emulator

COMMAND_SECONDS = 300


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

    def aws(self, command: str) -> Any:
        """Ask AWS by its CLI."""
        text = self.run(f"aws {command} --output json")
        return json.loads(text) if text.strip() else None

    def outputs(self) -> Mapping[str, str]:
        """Read the stack's outputs, the API's address as the emulator has it."""
        [stack] = self.aws(f"cloudformation describe-stacks --stack-name {self.name}")["Stacks"]
        found = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        return {name: self.here(value) for name, value in found.items()}

    def here(self, text: str) -> str:
        """Write the API's address as the emulator has it."""
        return re.sub(
            r"https://(\w+)\.execute-api\.[\w.-]+/(\w+)/",
            rf"{self.emulator.url}/restapis/\1/\2/_user_request_/",
            text,
        )

    def resources(self) -> Mapping[str, list[str]]:
        """List what AWS holds of the kinds that the template makes, whosever it is."""
        return {
            "tables": self.aws("dynamodb list-tables")["TableNames"],
            "secrets": [secret["ARN"] for secret in self.aws("secretsmanager list-secrets")["SecretList"]],
            "user pools": [
                pool["Id"] for pool in self.aws("cognito-idp list-user-pools --max-results 10")["UserPools"]
            ],
            "functions": [one["FunctionName"] for one in self.aws("lambda list-functions")["Functions"]],
            "layers": [one["LayerName"] for one in self.aws("lambda list-layers")["Layers"]],
            "APIs": [one["id"] for one in self.aws("apigateway get-rest-apis").get("items", [])],
            "roles": [one["RoleName"] for one in self.aws("iam list-roles")["Roles"]],
            "log groups": [one["logGroupName"] for one in self.aws("logs describe-log-groups")["logGroups"]],
        }
