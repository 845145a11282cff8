"""Where a service is: what the environment says, or where AWS has it in the region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chat_core.aws.failures import NotSent

if TYPE_CHECKING:
    from collections.abc import Mapping

_REGION = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_ELSEWHERE = re.compile(r"(us|eu)-iso|eusc-")
"""Partitions whose domains are not known here."""

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service in a region.

    Parameters
    ----------
    url
        ``http`` or ``https``, host, and perhaps port and path.
    region
        That calls are signed for.
    """

    url: str
    region: str

    @property
    def host(self) -> str:
        """The header ``Host``: without the scheme's own port."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        return host if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"

    @property
    def path(self) -> str:
        """What is posted to."""
        return urlsplit(self.url).path or "/"


def find_endpoint(service: str, variable: str, environment: Mapping[str, str]) -> Endpoint:
    """Find a service by AWS's variables.

    These are ``AWS_REGION`` or ``AWS_DEFAULT_REGION``, else the region of the profile, and
    ``AWS_ENDPOINT_URL_{variable}`` or ``AWS_ENDPOINT_URL``, else the regional endpoint. FIPS, dual stack and AWS's
    isolated partitions have others, which have to be named.

    Raises
    ------
    NotSent
        If there is no region, or the endpoint has to be named and is not.
    """
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or _region_of_profile()
    if not region or not _REGION.fullmatch(region):
        message = f"AWS_REGION names no region: {region!r}."
        raise NotSent(message)
    variable = f"AWS_ENDPOINT_URL_{variable}"
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        given = environment.get(variable) or environment.get("AWS_ENDPOINT_URL")
        if given:
            return Endpoint(_checked(given), region)
    asked = [name for name in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT") if _is_on(environment, name)]
    if asked or _ELSEWHERE.match(region):
        message = f"Name the endpoint of {service} for {' and '.join([region, *asked])} in {variable}."
        raise NotSent(message)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return Endpoint(f"https://{service}.{region}.{suffix}", region)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        message = f"The endpoint of AWS is no URL of http or https: {url!r}."
        raise NotSent(message)
    return url


def _is_on(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").lower() == "true"


def _region_of_profile() -> str | None:
    from botocore.exceptions import BotoCoreError
    from botocore.session import get_session

    try:
        region: str | None = get_session().get_config_variable("region")
    except BotoCoreError as error:
        raise NotSent(str(error)) from error
    return region
