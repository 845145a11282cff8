"""Users who call with API keys, through the authorizer that the stack has."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from authorizer import handler
from authorizer.api_keys import ApiKey, digest_of, new_key, row_of
from authorizer.issuers import Issuers
from authorizer.key_table import KeyTable
from local.events import authorizer_event
from tests.fault.conftest import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from authorizer.caller import Kind


@dataclass(frozen=True)
class KeyedWorld(World):
    """A world whose requests carry keys: one for each user, or one app's for all."""

    APP: ClassVar[str] = "shop"

    kind: Kind = "user"
    keys: dict[str, str] = field(default_factory=dict)

    def _event(
        self, method: str, path: str, body: object, *, user: str, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> tuple[str, dict[str, Any]]:
        tenant = self.APP if self.kind == "app" else user
        own = {"Authorization": f"Bearer {self._key(tenant)}"}
        if self.kind == "app":
            own["X-Omoide-User"] = user
        function, event = super()._event(method, path, body, user="nobody", headers={**own, **headers}, query=query)
        said = handler.lambda_handler(authorizer_event(event), None)
        event["requestContext"]["authorizer"] = {**said["context"], "principalId": said["principalId"]}
        return function, event

    def _key(self, tenant: str) -> str:
        if tenant not in self.keys:
            key = self.keys[tenant] = new_key()
            row = row_of(ApiKey(digest_of(key), tenant, self.kind, "", key[-4:], int(time.time())))
            self.boto.put_item(TableName=self.table, Item=row)
        return self.keys[tenant]


def keyed(world: World, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> KeyedWorld:
    """Make a world of keys on the same stores."""
    parts = handler.Parts(KeyTable(world.table, world.boto), Issuers(()))
    monkeypatch.setattr(handler, "parts", lambda: parts)
    own = {one.name: getattr(world, one.name) for one in fields(World)}
    return KeyedWorld(**own, kind=kind)
