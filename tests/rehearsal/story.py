"""What a deployer does in the first hour, and later, in order; each step says what it shows."""

from __future__ import annotations

import json
import re
import shutil
import time
from typing import TYPE_CHECKING, Any, Protocol

from tests.rehearsal import keys
from tests.rehearsal.checks import ask, client_of, holds, json_of, refused, same, told
from tests.rehearsal.stack import commands
from tools import build
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openai import OpenAI

    from tests.rehearsal.stack import Stack

EMAIL = "naomi@example.com"
PASSWORD = "Fake, password-1"
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
MEMORY_SECONDS = 120
LOG_SECONDS = 60
KEPT = {"tables": 1, "secrets": 2, "user pools": 1}
COMMANDS = ["make deploy", "make outputs", 'eval "$(make user EMAIL=you@example.com)"', "make deploy ARGS="]


class Deploy(Protocol):
    """Runs a command line that begins with ``make deploy`` on the rehearsed copy of what it builds."""

    def __call__(self, command: str, *, answer: str = "", fails: bool = False) -> str:
        """Return what it wrote; see `tests.rehearsal.stack.Stack.run`."""
        ...


def run(stack: Stack, deploy: Deploy, *, layer: Path) -> None:
    """Go through all of it.

    Parameters
    ----------
    stack
        To be made.
    deploy
        Its deployment.
    layer
        The folder of the layer's artefact.

    Raises
    ------
    Failed
        At the first thing that is not as the documents say.
    """
    command, outputs, user, changed = _readme()
    before = stack.resources()
    told("the README's commands make a stack", command)
    deploy(command, answer="y\n")
    found = _outputs(stack, outputs)
    token = _first_user(stack, found)
    first = client_of(found, token)
    _no_secret_yet(stack, found, first)
    _first_turns(stack, found, first)
    _memory_function(found["ApiUrl"], first)
    _undefined_routes(found["ApiUrl"], token)
    keys.run(stack, found, first)
    _second_user(stack, found, user)
    _layer_alone(stack, deploy, layer, first)
    _no_change(deploy)
    _parameters(stack, deploy, changed, first)
    _torn_down(stack, before)
    _adopted(stack, deploy, found)
    _cleared(stack, found, before)


def _readme() -> list[str]:
    found = [re.sub(r"\s*#.*", "", command) for command in commands(README, "## Deploy")]
    same("the commands of the README", [len(found)], [len(COMMANDS)])
    for command, beginning in zip(found, COMMANDS, strict=True):
        holds(command.startswith(beginning), f"The README says `{command}`, not `{beginning}…`.")
    return found


def _outputs(stack: Stack, command: str) -> Mapping[str, str]:
    told("the outputs are printed whole", command)
    printed = stack.run(command).splitlines()
    section = README.read_text(encoding="utf-8").partition("## Deploy")[2]
    named = re.findall(r"^\| `(\w+Command)`", section, re.M)
    found = stack.outputs()
    same("the README's table of outputs", named, [name for name in named if name in found])
    for name, value in found.items():
        holds(any(value == stack.here(line) for line in printed), f"{name} is not printed in one line.")
    return found


def _first_user(stack: Stack, outputs: Mapping[str, str]) -> str:
    told("a user gets a token at once", "UserCommand, TokenCommand")
    stack.variables.update(EMAIL=EMAIL, PASSWORD=PASSWORD)
    stack.run(outputs["UserCommand"])
    return stack.run(outputs["TokenCommand"]).strip()


def _no_secret_yet(stack: Stack, outputs: Mapping[str, str], client: OpenAI) -> None:
    told("a secret without a key is told, and named in the log", "503 secret_unavailable")
    for text in (" ", '{"OPENAI_API_KEY": "sk-fake"}'):
        stack.run(
            'aws secretsmanager put-secret-value --secret-id "$ID" --secret-string "$TEXT"',
            {"ID": outputs["OpenAISecretId"], "TEXT": text},
        )
        error = refused(503, lambda: client.responses.create(model="m", conversation="early", input="Hi"))
        same("the error's code", error.code, "secret_unavailable")
        same("x-should-retry", error.response.headers["x-should-retry"], "false")
    until = time.monotonic() + LOG_SECONDS
    while '"secret_unavailable"' not in (logged := stack.logged()) and time.monotonic() < until:
        time.sleep(1)  # a line comes when the answer has gone
    lines = [json.loads(line) for line in logged.splitlines() if '"secret_unavailable"' in line]
    same("the secret in the log", {line["secret_id"] for line in lines}, {outputs["OpenAISecretId"]})
    holds("sk-fake" not in logged, "The log holds what the secret holds.")


def _first_turns(stack: Stack, outputs: Mapping[str, str], client: OpenAI) -> None:
    told("the next request works, and the second turn remembers", "OpenAISecretCommand, CurlCommand")
    stack.run(outputs["OpenAISecretCommand"], {"OPENAI_API_KEY": "sk-fake-offline"})
    stack.run(outputs["MomentoSecretCommand"], {"MOMENTO_API_KEY": "fake", "MOMENTO_ENDPOINT": "cache.example"})
    secret = stack.client("secretsmanager").get_secret_value(SecretId=outputs["MomentoSecretId"])["SecretString"]
    same("Momento's secret", json.loads(secret), {"api_key": "fake", "endpoint": "cache.example"})
    if shutil.which("curl"):  # Debian has none of its own
        answer = json.loads(stack.run(f"{outputs['CurlCommand']} --silent", {"TOKEN": client.api_key}))
        same("the first turn's status", answer.get("status"), "completed")
    said = client.responses.create(model="m", conversation="naomi", input="私の名前は渡辺直美です。")
    asked = client.responses.create(model="m", conversation="naomi", input="私の名前なんだっけ？")
    holds("渡辺直美" in asked.output_text, f"The second turn does not remember: {asked.output_text}")
    items = list(client.conversations.items.list("naomi", order="asc"))
    same("the history", [item.id for item in items][1::2], [said.output[0].id, asked.output[0].id])
    listed = json_of(outputs["ApiUrl"], "/conversations", client.api_key)["data"]
    same("the conversations", {one["id"] for one in listed} - {"first"}, {"naomi"})
    completion = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello"}])
    holds(bool(completion.choices[0].message.content), "A chat completion has no text.")
    holds(bool(client.embeddings.create(model="e", input="Hello").data[0].embedding), "An embedding is empty.")


def _memory_function(url: str, client: OpenAI) -> None:
    told("the table's stream starts the memory function, whose summary keeps what the window forgets", "summary_window")
    memory = {"policy": "summary_window", "trigger_messages": 6, "keep": 2}
    name = client.conversations.create(extra_body={"memory": memory}).id
    client.responses.create(model="m", conversation=name, input="私の名前は渡辺直美です。")
    for day in range(4):
        client.responses.create(model="m", conversation=name, input=f"今日は{day + 1}回歩いて、とても楽しかったです。")
    until = time.monotonic() + MEMORY_SECONDS
    while (made := json_of(url, f"/conversations/{name}/memory", client.api_key))["summary"] is None:
        holds(time.monotonic() < until, f"There is no summary: {made}")
        time.sleep(1)
    asked = client.responses.create(model="m", conversation=name, input="私の名前なんだっけ？")
    holds("渡辺直美" in asked.output_text, f"The summary does not remember: {asked.output_text}")


def _undefined_routes(url: str, token: str) -> None:
    told("an undefined route is our 404, a defined one without a token 401", "GET /v1/nothing")
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        status, body = ask(f"{url}/nothing", headers)
        same("the status of an undefined route", status, 404)
        same("its code", json.loads(body)["error"]["code"], "not_found")
        holds(token not in body, "It echoes the token.")
    same("the status without a token", ask(f"{url}/conversations", {})[0], 401)
    same("the status with a wrong token", ask(f"{url}/conversations", {"Authorization": "Bearer x.y.z"})[0], 401)


def _second_user(stack: Stack, outputs: Mapping[str, str], command: str) -> None:
    told("make user makes another, who sees nothing of the first", command)
    del stack.variables["PASSWORD"]
    said = stack.run(f'{command} && echo "$OPENAI_BASE_URL" "$OPENAI_API_KEY"').split()
    base_url, token = stack.here(f"{said[-2]}/").removesuffix("/"), said[-1]
    same("OPENAI_BASE_URL", base_url, outputs["ApiUrl"])
    same("the other's conversations", json_of(base_url, "/conversations", token)["data"], [])
    other = client_of(outputs, token)
    same("the other's items under the same name", list(other.conversations.items.list("naomi")), [])
    again = command.removeprefix('eval "$(').removesuffix(')"')
    holds("PASSWORD" in stack.run(again, fails=True), "Who is a user already is not told how to sign in.")
    [password] = re.findall(r"told only here: (\S+)", " ".join(said))
    holds("OPENAI_API_KEY" in stack.run(again, {"PASSWORD": password}), "The password that was told does not sign in.")


def _layer_alone(stack: Stack, deploy: Deploy, layer: Path, client: OpenAI) -> None:
    told("a change of the layer alone reaches every alias, and the history stays", "make deploy")
    versions = stack.versions()
    (layer / "python" / "changed.txt").write_text("changed")
    deploy("make deploy ARGS=--no-confirm-changeset")
    for function, version in stack.versions().items():
        holds(version != versions[function], f"{function}'s alias still has version {version}.")
    answer = client.responses.create(model="m", conversation="naomi", input="私の名前なんだっけ？")
    holds("渡辺直美" in answer.output_text, f"After the update: {answer.output_text}")


def _no_change(deploy: Deploy) -> None:
    told("the same again is no change", "make deploy ARGS=--no-confirm-changeset")
    said = deploy("make deploy ARGS=--no-confirm-changeset")
    holds("No changes to deploy" in said, said)


def _parameters(stack: Stack, deploy: Deploy, command: str, client: OpenAI) -> None:
    told("the default memory is set on the command line", command)
    deploy(command)
    answer: Any = client.responses.create(model="m", conversation="naomi", input="Hi").to_dict()
    same("the memory policy", answer["omoide"]["memory"]["policy"], "token_window")
    other = next(name for name in ("arm64", "x86_64") if name != build.host_architecture())
    refused = deploy(
        f"make deploy ARGS='--no-confirm-changeset --parameter-overrides Architecture={other}'", fails=True
    )
    holds("Architecture" in refused, refused)


def _torn_down(stack: Stack, before: Mapping[str, list[str]]) -> None:
    delete, *_ = commands(OPERATIONS, "## Tear down")
    told("deleted, the table, the secrets and the pool stay", delete)
    stack.run(delete)
    same("what stays", _kept(stack, before), KEPT)


def _adopted(stack: Stack, deploy: Deploy, outputs: Mapping[str, str]) -> None:
    adopt, again = commands(OPERATIONS, "## A kept table")
    told("a new stack takes the kept table and pool, and the user's history is there", adopt)
    stack.run(adopt, _names(outputs))
    deploy(again, answer="y\n")
    found = stack.outputs()
    token = stack.run(found["TokenCommand"], {"PASSWORD": PASSWORD}).strip()
    items = list(client_of(found, token).conversations.items.list("naomi"))
    holds(len(items) >= 4, f"The history has {len(items)} items.")


def _cleared(stack: Stack, earlier: Mapping[str, str], before: Mapping[str, list[str]]) -> None:
    delete, *leftovers = commands(OPERATIONS, "## Tear down")
    told("and what stays can be deleted, too", "; ".join(leftovers))
    outputs = stack.outputs()
    stack.run(delete)
    for command in leftovers:
        stack.run(command, _names(outputs))
    if earlier["OpenAISecretId"] != outputs["OpenAISecretId"]:  # the emulator gives the same names again
        for command in leftovers[2:]:
            stack.run(command, _names(earlier))
    same("what stays then", _kept(stack, before), {})


def _names(outputs: Mapping[str, str]) -> Mapping[str, str]:
    return {name: outputs[name] for name in ("MomentoSecretId", "OpenAISecretId", "UserPoolId", "HistoryTableName")}


def _kept(stack: Stack, before: Mapping[str, list[str]]) -> Mapping[str, int]:
    kept = {kind: len(set(now) - set(before[kind])) for kind, now in stack.resources().items()}
    return {kind: number for kind, number in kept.items() if number}
