"""API keys and tokens with the stock SDK, through the authorizer of the template: ``AUTHORIZER=keys make run``."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx2
import jwt
import openai
import pytest
from boto3.session import Session
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from authorizer.api_keys import ApiKey, digest_of, new_key, row_of
from local.embedded_aws import EmbeddedAws
from tests.dev_server import RunningServer, running_server
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from authorizer.caller import Kind
    from local.model.server import StandInModel
    from local.momento import EmbeddedMomento

TABLE = "keys-of-e2e"
AUDIENCE = "omoide-app"
SAID = "My name is Naomi."


class Signer:
    """An issuer of tokens on this machine, with OpenID Connect Discovery."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        signer = self

        class Face(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = json.dumps(signer.document(self.path)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Face)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def document(self, path: str) -> Any:
        if path.startswith("/.well-known/"):
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        key = RSAAlgorithm(RSAAlgorithm.SHA256).to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": "one"}]}

    def token(self, **claims: Any) -> str:
        body = {"iss": self.url, "aud": AUDIENCE, "sub": "naomi", "exp": int(time.time()) + 600, **claims}
        return jwt.encode(body, self.key, "RS256", headers={"kid": "one"})


@dataclass(frozen=True)
class Keyed:
    """A server that asks for keys."""

    server: RunningServer
    dynamodb: Any
    signer: Signer

    def key(self, tenant: str, kind: Kind = "user", *, seconds: int | None = None) -> str:
        key, now = new_key(), int(time.time())
        expires = None if seconds is None else now + seconds
        row = row_of(ApiKey(digest_of(key), tenant, kind, "e2e", key[-4:], now, expires))
        self.dynamodb.put_item(TableName=TABLE, Item=row)
        return key

    def revoke(self, key: str) -> None:
        row = row_of(ApiKey(digest_of(key), "", "user", "", "", 0))
        self.dynamodb.delete_item(TableName=TABLE, Key={"pk": row["pk"], "sk": row["sk"]})

    def client(self, key: str, **headers: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.server.url, api_key=key, default_headers=headers, max_retries=0)


@pytest.fixture(scope="module")
def stack(momento: EmbeddedMomento, model: StandInModel) -> Iterator[Keyed]:
    aws, signer = EmbeddedAws(), Signer()
    aws.start()
    threading.Thread(target=signer.server.serve_forever, args=(0.05,), daemon=True).start()
    env = {
        "AUTHORIZER": "keys",
        "MOMENTO_LOCAL": f"127.0.0.1:{momento.port}",
        "OPENAI_BASE_URL": model.base_url,
        "AWS_ENDPOINT_URL": aws.url,
        "HISTORY_TABLE": TABLE,
        "ISSUERS": f"https://pool.invalid/pool|client,{signer.url}|{AUDIENCE}",
    }
    with running_server(env) as server:
        client = Session("fake", "fake", region_name="us-east-1").client("dynamodb", endpoint_url=aws.url)
        yield Keyed(server, client, signer)
    signer.server.shutdown()
    signer.server.server_close()


def conversations(client: openai.OpenAI) -> list[str]:
    listed: Any = client.get("/conversations", cast_to=object)
    return [one["id"] for one in listed["data"]]


def remembered(client: openai.OpenAI, conversation: str) -> str:
    client.responses.create(model="m", conversation=conversation, input=SAID)
    return client.responses.create(model="m", conversation=conversation, input="What is my name?").output_text


def refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as error:
        client.responses.create(model="m", input="hi")
    assert error.value.code == "invalid_api_key"
    assert_valid(error.value.response.json(), "ErrorResponse")


def test_a_key_speaks_for_its_user_and_a_second_one_for_the_same(stack: Keyed) -> None:
    first, second = (stack.client(stack.key("acme")) for _ in range(2))
    assert "Naomi" in remembered(first, "mine")
    assert conversations(second) == ["mine"]
    assert conversations(stack.client(stack.key("other"))) == []


def test_an_app_names_its_users_and_each_is_alone(stack: Keyed) -> None:
    key = stack.key("shop", "app")
    alice, bob = (stack.client(key, **{"X-Omoide-User": name}) for name in ("alice", "bob"))
    assert "Naomi" in remembered(alice, "chat")
    assert conversations(bob) == []
    with pytest.raises(openai.BadRequestError) as nobody:
        stack.client(key).responses.create(model="m", input="hi")
    assert nobody.value.param == "X-Omoide-User"
    # The header of whoever is no app counts for nothing, and a name of the app's own is not its user.
    assert conversations(stack.client(stack.key("shop"), **{"X-Omoide-User": "alice"})) == []


def test_the_header_of_the_dev_server_names_nobody_where_keys_are_asked_for(stack: Keyed) -> None:
    key = stack.key("someone")
    assert "Naomi" in remembered(stack.client(key, **{"X-Local-User": "acme"}), "own")
    assert conversations(stack.client(key)) == ["own"]


def test_tokens_of_a_named_issuer_are_taken_and_no_others(stack: Keyed) -> None:
    signer = stack.signer
    client = stack.client(signer.token())
    assert "Naomi" in remembered(client, "by-token")
    assert conversations(stack.client(signer.token(nonce="another"))) == ["by-token"]
    assert conversations(stack.client(signer.token(sub="other"))) == []
    assert conversations(stack.client(stack.key("naomi"))) == []  # another namespace
    for wrong in (
        signer.token(aud="another"),
        signer.token(exp=1),
        signer.token(iss="https://elsewhere.invalid"),
        signer.token() + "x",
    ):
        refused(stack.client(wrong))


def test_what_is_revoked_expired_or_was_never_a_key_is_refused(stack: Keyed) -> None:
    revoked = stack.key("acme")
    stack.revoke(revoked)
    for key in (revoked, stack.key("acme", seconds=-1), new_key(), "omoide_short", "sk-fake", "a.b.c"):
        refused(stack.client(key))


def test_a_key_lives_on_for_as_long_as_the_gateway_remembers_it(stack: Keyed) -> None:
    key = stack.key("brief")
    client = stack.client(key)
    assert conversations(client) == []
    stack.revoke(key)
    assert conversations(client) == []  # for five minutes: docs/operations.md


def test_a_stream_needs_a_key_as_well(stack: Keyed) -> None:
    client = stack.client(stack.key("acme"))
    with client.responses.stream(model="m", input="Hello") as stream:
        assert stream.get_final_response().output_text
    with pytest.raises(openai.AuthenticationError):
        stack.client(new_key()).responses.create(model="m", input="Hello", stream=True)


def test_no_key_and_no_token_is_told_anywhere(stack: Keyed) -> None:
    keys = [stack.key("acme"), new_key(), stack.signer.token(), stack.signer.token(exp=1)]
    for key in keys:
        headers = {"Authorization": f"Bearer {key}"}
        for method, path, body in (("GET", "/models", None), ("POST", "/responses", {"model": "m", "input": ""})):
            answer = httpx2.request(method, stack.server.url + path, json=body, headers=headers, timeout=60)
            assert key not in f"{answer.headers} {answer.text}"
    written = stack.server.output()
    assert not any(key in written or digest_of(key) in written for key in keys)
    rows = str(stack.dynamodb.scan(TableName=TABLE)["Items"])
    assert not any(key in rows for key in keys)
