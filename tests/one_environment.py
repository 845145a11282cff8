"""A pytest plugin: both functions in this process as one environment of Lambda has them, for any folder's tests.

One environment in a process: its parts live as long as the process does, and two would share them.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.patience import VARIABLES, be_patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.app import App


@pytest.fixture(scope="session")
def _services() -> Iterator[App]:
    """Embedded Momento, model and AWS, and an environment that names them."""
    # Here, not above: most workers run other tests first.
    from local.aws import start_aws
    from local.model.server import StandInModel
    from local.momento import EmbeddedMomento
    from local.services import start_momento
    from tests.integration.app import App, application

    with EmbeddedMomento() as momento, StandInModel() as model:
        aws = start_aws({}, application().tables)
        address = f"127.0.0.1:{momento.port}"
        start_momento({"MOMENTO_LOCAL": address})
        chat = next(f for f in application().functions if f.name.startswith("Chat"))
        variables = {
            **{name: value for name, value in chat.environment.items() if value},
            "MOMENTO_LOCAL": address,
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-fake-not-a-key",
            **VARIABLES,
            **{name: value for name, value in aws.variables.items() if value},
        }
        before = dict(os.environ)
        os.environ.update(variables)
        try:
            yield App(model, momento)
        finally:
            _close_environment()
            os.environ.clear()
            os.environ.update(before)


def _close_environment() -> None:
    """Close what an environment of Lambda keeps for its life."""
    from chat import handler as chat
    from chat_core.api import event_loop
    from chat_core.model.openai import OpenAIModel
    from history import handler as history
    from memory import handler as memory

    for model in (chat.parts().model, memory.parts().model):
        assert isinstance(model, OpenAIModel)
        event_loop.run(model.aclose())
    for stores in (chat.parts().stores, history.parts().stores, memory.parts().stores):
        event_loop.run(stores.cache.aclose())
        stores.table.close()
    event_loop.close()


@pytest.fixture(scope="module")
def _emptied(_services: App) -> None:
    """Empty the tables: what a whole session has written makes each scan slow, and no test needs another's rows."""
    for table in tables():
        table.items.clear()


def tables() -> Iterator[Any]:
    """Yield moto's own tables of this process."""
    from moto.backends import get_backend

    for account in get_backend("dynamodb").values():
        for backend in account.values():
            yield from backend.tables.values()


@pytest.fixture
def app(_services: App, _emptied: None, monkeypatch: pytest.MonkeyPatch) -> App:
    """Both functions, with an empty cache and a model that behaves."""
    from chat import handler as chat
    from history import handler as history

    be_patient(monkeypatch)
    for each in (chat.parts().stores, history.parts().stores):
        assert each.cache.breaker is not None
        each.cache.breaker.succeeded()  # what failed in another test is no concern of this one
    _services.momento.faults.clear()
    _services.momento.wipe()
    _services.momento.meter.reset()
    _services.model.script.clear()
    _services.model.delay = _services.model.first_token = _services.model.token = 0.0
    calls = _services.model.calls
    return replace(_services, calls_before=calls["/v1/responses"], calls_before_all=sum(calls.values()))
