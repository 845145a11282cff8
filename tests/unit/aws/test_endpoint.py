"""Where services are is what AWS's SDK says, or the environment does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.session import Session

from chat_core.aws import Endpoint, NotSent
from chat_core.aws.endpoint import find_endpoint

if TYPE_CHECKING:
    from pathlib import Path

IN_EUROPE = {"AWS_REGION": "eu-central-1"}


def find(**environment: str) -> str:
    return find_endpoint("dynamodb", "DYNAMODB", {**IN_EUROPE, **environment}).url


def test_the_regions_endpoints_are_those_of_awss_sdk() -> None:
    session = Session()
    resolver = session._get_internal_component("endpoint_resolver")
    regions = {
        region
        for partition in ("aws", "aws-cn", "aws-us-gov")
        for region in session.get_available_regions("dynamodb", partition)
    }
    assert len(regions) > 25
    for region in regions - {"local"}:
        theirs = resolver.construct_endpoint("dynamodb", region)["hostname"]
        assert find_endpoint("dynamodb", "DYNAMODB", {"AWS_REGION": region}) == Endpoint(f"https://{theirs}", region)


def test_the_first_that_names_one() -> None:
    assert find(AWS_ENDPOINT_URL="http://all") == "http://all"
    assert find(AWS_ENDPOINT_URL="http://all", AWS_ENDPOINT_URL_DYNAMODB="http://one:8000") == "http://one:8000"
    assert find(AWS_ENDPOINT_URL="", AWS_ENDPOINT_URL_DYNAMODB="") == "https://dynamodb.eu-central-1.amazonaws.com"
    ignored = {"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    assert find(**ignored) == "https://dynamodb.eu-central-1.amazonaws.com"
    china = find_endpoint("dynamodb", "DYNAMODB", {"AWS_DEFAULT_REGION": "cn-north-1"})
    assert china.url == "https://dynamodb.cn-north-1.amazonaws.com.cn"
    named = {**IN_EUROPE, "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://x"}
    assert find_endpoint("secretsmanager", "SECRETS_MANAGER", named).url == "http://x"


@pytest.mark.parametrize("name", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_an_endpoint_that_is_not_known_has_to_be_named(name: str) -> None:
    with pytest.raises(NotSent, match=f"{name}.*AWS_ENDPOINT_URL_DYNAMODB"):
        find(**{name: "true"})
    assert find(**{name: "true", "AWS_ENDPOINT_URL_DYNAMODB": "https://named"}) == "https://named"
    assert find(**{name: "false"}) == "https://dynamodb.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    "region", ["us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1"]
)
def test_partitions_apart_have_to_be_named(region: str) -> None:
    with pytest.raises(NotSent, match="AWS_ENDPOINT_URL_DYNAMODB"):
        find(AWS_REGION=region)


@pytest.mark.parametrize("url", ["ftp://host", "host", "http://", "//host"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(NotSent):
        find(AWS_ENDPOINT_URL=url)


@pytest.mark.parametrize("region", ["eu central", "eu-central-1.evil.example/", "-"])
def test_what_is_no_region_is_refused(region: str) -> None:
    with pytest.raises(NotSent, match="AWS_REGION"):
        find(AWS_REGION=region)


def test_the_region_of_the_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with pytest.raises(NotSent, match="AWS_REGION"):
        find_endpoint("dynamodb", "DYNAMODB", {})
    (tmp_path / "config").write_text("[default]\nregion = eu-west-1\n", "utf-8")
    assert find_endpoint("dynamodb", "DYNAMODB", {}).region == "eu-west-1"


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://Dynamodb.example", "dynamodb.example", "/"),
        ("https://host:443/", "host", "/"),
        ("http://host:443/", "host:443", "/"),
        ("http://[::1]:8000/a/b", "[::1]:8000", "/a/b"),
    ],
)
def test_the_host_that_is_signed(url: str, host: str, path: str) -> None:
    endpoint = Endpoint(url, "r")
    assert (endpoint.host, endpoint.path) == (host, path)
