"""Who calls, as docs/operations.md has it: API keys made by `make key`, and the pool's tokens of both kinds."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.rehearsal.checks import ask, client_of, holds, json_of, refused, same, told
from tests.rehearsal.stack import commands
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import OpenAI

    from tests.rehearsal.stack import Stack

OPERATIONS = ROOT / "docs" / "operations.md"


def run(stack: Stack, outputs: Mapping[str, str], first: OpenAI) -> None:
    """Go through all of it.

    Parameters
    ----------
    first
        Of a user of the pool, who has talked under the name ``naomi``.

    Raises
    ------
    Failed
        At the first thing that is not as the page says.
    """
    make, listing = commands(OPERATIONS, "### API keys")
    key = _key_of_a_user(stack, outputs, make)
    app = _key_of_an_app(stack, outputs)
    _revoked(stack, outputs, listing)
    access = _access_token(stack, outputs, first)
    _asked_first(outputs)
    _nowhere_in_the_log(stack, key, app, access, str(first.api_key))


def _key_of_a_user(stack: Stack, outputs: Mapping[str, str], command: str) -> str:
    told("make key makes a key, whose user is alone", command)
    key = _made(stack, command)
    client = client_of(outputs, key)
    client.responses.create(model="m", conversation="naomi", input="My name is Acme.")
    asked = client.responses.create(model="m", conversation="naomi", input="What is my name?")
    holds("Acme" in asked.output_text, f"The second turn does not remember: {asked.output_text}")
    listed = json_of(outputs["ApiUrl"], "/conversations", key)["data"]
    same("the conversations of the key's user", [one["id"] for one in listed], ["naomi"])
    return key


def _key_of_an_app(stack: Stack, outputs: Mapping[str, str]) -> str:
    told("an app's key serves users, each of whom is alone", "make key KIND=app")
    key = _made(stack, 'eval "$(make key TENANT=shop KIND=app)"')
    nameless = refused(400, lambda: client_of(outputs, key).responses.create(model="m", input="Hi"))
    same("the parameter", nameless.param, "X-Omoide-User")
    alice, bob = (client_of(outputs, key, **{"X-Omoide-User": name}) for name in ("alice", "bob"))
    alice.responses.create(model="m", conversation="chat", input="My name is Alice.")
    same("alice's items", len(list(alice.conversations.items.list("chat"))), 2)
    same("bob's items under the same name", list(bob.conversations.items.list("chat")), [])
    # The header of whoever is no app counts for nothing.
    other = client_of(outputs, _made(stack, 'eval "$(make key TENANT=shop)"'), **{"X-Omoide-User": "alice"})
    same("the items of a user with an app's name", list(other.conversations.items.list("chat")), [])
    return key


def _revoked(stack: Stack, outputs: Mapping[str, str], listing: str) -> None:
    told("the keys are listed by their digests, and one that is revoked is refused", listing)
    made = _made(stack, 'eval "$(make key TENANT=brief NAME=soon)"')
    listed = stack.run(listing)
    [digest] = re.findall(r"^(\w+) .* brief  soon ", listed, re.M)
    holds(made not in listed, "The list tells a key.")
    stack.run(f"make key REVOKE={digest}")
    holds("brief" not in stack.run(listing), "A revoked key is listed.")
    for wrong in (made, made[:-1], "sk-fake"):
        status, body = ask(f"{outputs['ApiUrl']}/models", {"Authorization": f"Bearer {wrong}"})
        same("the status of a revoked key, half a key, and none of ours", status, 401)
        holds(wrong not in body, "It echoes the key.")


def _access_token(stack: Stack, outputs: Mapping[str, str], first: OpenAI) -> str:
    told("the pool's access token is the same user as the ID token", "AccessToken")
    command = outputs["TokenCommand"].replace("AuthenticationResult.IdToken", "AuthenticationResult.AccessToken")
    token = stack.run(command).strip()
    holds(token != first.api_key, "The access token is the ID token.")
    lists = [json_of(outputs["ApiUrl"], "/conversations", str(one)) for one in (token, first.api_key)]
    same("the conversations", [one["id"] for one in lists[0]["data"]], [one["id"] for one in lists[1]["data"]])
    return token


def _asked_first(outputs: Mapping[str, str]) -> None:
    told("a browser may ask first, and health be asked, without a token", "OPTIONS /v1/responses, GET /health")
    same("the status of a preflight", ask(f"{outputs['ApiUrl']}/responses", {"Origin": "https://a"}, "OPTIONS")[0], 200)
    status, body = ask(f"{outputs['ApiUrl'].removesuffix('/v1')}/health", {})
    same("health", (status, list(json.loads(body))), (200, ["version"]))


def _nowhere_in_the_log(stack: Stack, *credentials: str) -> None:
    told("no key and no token is in a log", "CloudWatch")
    logged = stack.logged()
    same("what the logs hold", [one[:8] for one in credentials if one in logged], [])


def _made(stack: Stack, command: str) -> str:
    return stack.run(f'{command} && echo "$OPENAI_API_KEY"').split()[-1]
