"""TLS with the certificates that are trusted, and proxies that the environment names."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chat_core.aws import Answer, Connections, Endpoint, NoAnswer
from chat_core.aws.connections import Proxied, find_sender
from tests.unit.aws.conftest import FakeService, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for 127.0.0.1, with its key, that no system trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a service of this machine")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[FakeService]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    service = FakeService()
    server = serve(service, context)
    yield service
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_calls_over_tls(secure: FakeService, certificate: Path, name: str) -> None:
    sender = find_sender(Endpoint(f"https://127.0.0.1:{secure.port}", "r"), {name: str(certificate)})
    for _ in range(3):
        assert sender.send({"host": "x"}, b"{}") == Answer(200, b"{}")
    sender.close()
    assert len({asked.connection for asked in secure.asked}) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_that_is_not_trusted_or_for_another_is_no_service(
    secure: FakeService, certificate: Path, host: str
) -> None:
    trusted = str(certificate) if host == "localhost" else None
    sender = Connections(Endpoint(f"https://{host}:{secure.port}", "r"), certificates=trusted)
    with pytest.raises(NoAnswer, match="SSLCertVerificationError"):
        sender.send({"host": "x"}, b"{}")
    assert secure.asked == []


def test_a_call_goes_through_the_proxy_that_is_named(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", service.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    service.answers[:] = [(200, b'{"a":1}', {"x-amz-crc32": "7"})]
    sender = find_sender(Endpoint("http://dynamodb.example/", "r"), {"HTTP_PROXY": service.url})
    assert sender.send({"x-amz-target": "T.Op", "host": "dynamodb.example"}, b"{}") == Answer(200, b'{"a":1}', "7")
    [asked] = service.asked
    assert asked.path == "http://dynamodb.example/"
    assert (asked.headers["x-amz-target"], asked.body) == ("T.Op", b"{}")
    service.answers[:] = ["cut"]
    with pytest.raises(NoAnswer):
        sender.send({"host": "dynamodb.example"}, b"{}")
    sender.close()


def test_only_where_it_is_for_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint("http://dynamodb.example", "r")
    named = {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "dynamodb.example"}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    assert isinstance(find_sender(endpoint, named), Connections)
    assert isinstance(find_sender(Endpoint("https://dynamodb.example", "r"), named), Connections)
    assert isinstance(find_sender(Endpoint("http://other.example", "r"), named), Proxied)
