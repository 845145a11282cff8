from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from authorizer.caller import Caller, NotAuthenticated
from authorizer.issuers import Issuer, Issuers, IssuerUnavailable, parse_issuers

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def key_of(number: int) -> rsa.RSAPrivateKey:
    """Make the first key of every issuer, the second, and so on: one takes a tenth of a second."""
    return rsa.generate_private_key(65537, 2048)


@dataclass
class Signer:
    """An issuer with an HTTP face: what it is and which keys it has."""

    url: str = ""
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    rotations: int = 0
    fetched: int = 0
    down: bool = False
    asked: int = 0
    nonsense: bytes = b""

    def rotate(self, kid: str) -> None:
        self.keys = {kid: key_of(self.rotations)}
        self.rotations += 1

    def token(self, **claims: Any) -> str:
        kid, key = next(iter(self.keys.items()))
        body = {"iss": self.url, "aud": "app", "sub": "naomi", "exp": int(time.time()) + 60, **claims}
        return jwt.encode({k: v for k, v in body.items() if v is not None}, key, "RS256", headers={"kid": kid})

    def document(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.fetched += 1
        algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        keys = [algorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid} for kid, key in self.keys.items()]
        return {"keys": keys}


@pytest.fixture
def signer() -> Iterator[Signer]:
    signer = Signer()

    class Face(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            signer.asked += 1
            if signer.down:
                self.send_error(503)
                return
            body = signer.nonsense or json.dumps(signer.document(self.path)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Face)
    signer.url = f"http://127.0.0.1:{server.server_port}"
    signer.rotate("first")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield signer
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def issuers(signer: Signer) -> Issuers:
    return Issuers([Issuer(signer.url, "app")])


def test_a_good_token_names_its_subject(signer: Signer, issuers: Issuers) -> None:
    assert issuers.caller(signer.token()) == Caller("user", "naomi")


def test_keys_are_fetched_once(signer: Signer, issuers: Issuers) -> None:
    for _ in range(3):
        issuers.caller(signer.token())
    assert signer.fetched == 1


def test_cognitos_access_tokens_name_their_client_otherwise(signer: Signer, issuers: Issuers) -> None:
    assert issuers.caller(signer.token(aud=None, client_id="app")).tenant == "naomi"


def test_one_of_several_audiences_will_do(signer: Signer, issuers: Issuers) -> None:
    assert issuers.caller(signer.token(aud=["other", "app"])).tenant == "naomi"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"nbf": 4_000_000_000},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
    ],
)
def test_a_token_with_wrong_claims_names_nobody(signer: Signer, issuers: Issuers, claims: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        issuers.caller(signer.token(**claims))


def test_a_token_that_another_key_signed_names_nobody(signer: Signer, issuers: Issuers) -> None:
    issuers.caller(signer.token())
    forged = Signer(signer.url, rotations=1)
    forged.rotate("first")
    with pytest.raises(NotAuthenticated):
        issuers.caller(forged.token())


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_only_key_pairs_sign(signer: Signer, issuers: Issuers, algorithm: str) -> None:
    body = {"iss": signer.url, "aud": "app", "sub": "naomi", "exp": int(time.time()) + 60}
    secret: Any = "a-secret-of-no-importance-and-32-bytes" if algorithm == "HS256" else None
    with pytest.raises(NotAuthenticated):
        issuers.caller(jwt.encode(body, secret, algorithm, headers={"kid": "first"}))


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "omoide_short", "." * 3])
def test_what_is_no_token_names_nobody(issuers: Issuers, text: str) -> None:
    with pytest.raises(NotAuthenticated):
        issuers.caller(text)


def test_a_rotated_key_is_fetched_and_unknown_ones_do_not_hammer_the_issuer(
    signer: Signer, issuers: Issuers, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuers.caller(signer.token())
    signer.rotate("second")
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            issuers.caller(signer.token())
    assert signer.fetched == 1
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert issuers.caller(signer.token()).tenant == "naomi"
    assert signer.fetched == 2


def test_an_issuer_that_is_down_refuses_nobody_but_knows_nothing(signer: Signer, issuers: Issuers) -> None:
    signer.down = True
    with pytest.raises(IssuerUnavailable, match=signer.url):
        issuers.caller(signer.token())
    signer.down = False
    assert issuers.caller(signer.token()).tenant == "naomi"


def test_keys_that_are_known_go_on_while_their_issuer_is_down_for_a_day_at_most(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    issuers = Issuers([Issuer(signer.url, "app")], clock=lambda: now)
    issuers.caller(signer.token())
    signer.down = True
    now += 4_000  # what was fetched is too old
    asked = signer.asked
    for _ in range(3):
        assert issuers.caller(signer.token()).tenant == "naomi"
    assert signer.asked == asked + 1
    with pytest.raises(NotAuthenticated):
        issuers.caller(signer.token(exp=1))
    signer.rotate("second")
    with pytest.raises(IssuerUnavailable):
        issuers.caller(signer.token())
    signer.rotate("first")
    with pytest.raises(NotAuthenticated):  # of the known name, but another key
        issuers.caller(signer.token())
    now += 86_400
    with pytest.raises(IssuerUnavailable):
        issuers.caller(signer.token())


@pytest.mark.parametrize("body", [b"<html>We are back soon.</html>", b"\xff", b'{"keys": []}'])
def test_an_issuer_that_answers_nonsense_is_down(signer: Signer, issuers: Issuers, body: bytes) -> None:
    issuers.caller(signer.token())
    signer.nonsense = body
    fresh = Issuers([Issuer(signer.url, "app", keys=f"{signer.url}/keys")])
    with pytest.raises(IssuerUnavailable):
        fresh.caller(signer.token())


def test_subjects_of_two_issuers_are_two_people(signer: Signer) -> None:
    named = Issuers([Issuer(signer.url, "app", "login.example")])
    assert named.caller(signer.token()).tenant == "login.example|naomi"


def test_a_subject_of_the_pool_is_never_an_apps_end_user(signer: Signer, issuers: Issuers) -> None:
    with pytest.raises(NotAuthenticated):
        issuers.caller(signer.token(sub="shop/alice"))
    named = Issuers([Issuer(signer.url, "app", "login.example")])
    assert named.caller(signer.token(sub="shop/alice")).tenant == "login.example|shop/alice"


def test_keys_are_fetched_where_the_parameter_says(signer: Signer) -> None:
    told = Issuers([Issuer("https://nobody.invalid", "app", keys=f"{signer.url}/anywhere")])
    assert told.caller(signer.token(iss="https://nobody.invalid")).tenant == "naomi"
    assert signer.fetched == 1


def test_issuers_as_the_parameter_has_them() -> None:
    first, second = parse_issuers("https://pool.example/a|one, https://login.example/t/|two")
    assert first == Issuer("https://pool.example/a", "one", "")
    assert second == Issuer("https://login.example/t/", "two", "login.example:t")


@pytest.mark.parametrize("text", ["https://a.example", "http://a.example|x", "a|b", "https://|x", "https://a.example|"])
def test_a_parameter_that_names_no_issuer_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Issuer 1"):
        parse_issuers(text)
