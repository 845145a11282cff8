"""Who talks to the embedded Momento: async and sync clients, threads, processes, LangChain; and how it ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
from momento import CacheClientAsync, Configurations, CredentialProvider
from momento.errors import MomentoErrorCode
from momento.responses import CacheGet, CacheSetIfNotExists
from momento_wire_types import cacheclient_pb2 as pb
from momento_wire_types import cacheclient_pb2_grpc

from local.momento import EmbeddedMomento
from tests.contract.embedded_momento.support import CACHE, METADATA, connect, elements, error, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from momento import CacheClient

ROOT = Path(__file__).parents[3]


def test_serves_the_async_client(server: EmbeddedMomento) -> None:
    async def scenario() -> None:
        credentials = CredentialProvider.for_momento_local("127.0.0.1", server.port)
        async with CacheClientAsync(Configurations.Lambda.latest(), credentials, timedelta(hours=1)) as client:
            ok(await client.create_cache(CACHE))
            ok(await client.set(CACHE, "key", "value"))
            assert ok(await client.get(CACHE, "key")).value_string == "value"
            appended = await client.list_concatenate_back(CACHE, "list", ["a", "b", "c"], truncate_front_to_size=2)
            assert ok(appended).list_length == 2
            assert ok(await client.list_fetch(CACHE, "list")).value_list_string == ["b", "c"]
            taken = await asyncio.gather(*(client.set_if_not_exists(CACHE, "lease", "me") for _ in range(20)))
            assert sum(isinstance(response, CacheSetIfNotExists.Stored) for response in taken) == 1
            server.faults.hang("Get", times=1)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.get(CACHE, "key"), 0.05)
            assert isinstance(await client.get(CACHE, "key"), CacheGet.Hit)
            server.faults.exceed_quota("Get", times=1)
            refused = error(await client.get(CACHE, "key")).inner_exception
            assert refused.message_wrapper == "Request rate limit exceeded for this account"

    asyncio.run(scenario())


@pytest.fixture
def _threads_take_turns_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_threads_take_turns_often")
def test_list_writes_of_many_threads_are_atomic(server: EmbeddedMomento, client: CacheClient) -> None:
    def append(writer: int) -> None:
        for turn in range(20):
            ok(patient.list_concatenate_back(CACHE, "list", [f"{writer}.{turn}.0", f"{writer}.{turn}.1"]))

    with connect(server.port, seconds=30) as patient, ThreadPoolExecutor(8) as threads:
        list(threads.map(append, range(8)))
    stored = elements(client)
    assert len(set(stored)) == len(stored) == 320
    assert all(first[:-1] == second[:-1] for first, second in zip(stored[::2], stored[1::2], strict=True))


def test_serves_other_processes(server: EmbeddedMomento, client: CacheClient) -> None:
    program = f"""
from tests.contract.embedded_momento.support import CACHE, connect, ok
with connect({server.port}) as client:
    for _ in range(20):
        ok(client.list_push_back(CACHE, "list", "a"))
"""
    processes = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) for _ in range(2)]  # noqa: S603
    assert [process.wait(60) for process in processes] == [0, 0]
    assert len(elements(client)) == 40


@pytest.mark.filterwarnings("ignore:.langchain-community. is being sunset:DeprecationWarning")
def test_is_langchains_momento_and_costs_what_momento_charges(server: EmbeddedMomento, client: CacheClient) -> None:
    from langchain_community.chat_message_histories import MomentoChatMessageHistory
    from langchain_core.messages import AIMessage, HumanMessage

    question, answer = HumanMessage("あ" * 42), AIMessage("い" * 104)
    history = MomentoChatMessageHistory("user/conversation", client, CACHE, ttl=timedelta(hours=1))
    history.add_messages([question, answer] * 50)
    assert elements(client, "message_store:user/conversation")[0].startswith('{"type": "human"')

    server.meter.reset()
    assert history.messages == [question, answer] * 50
    history.add_user_message(question)
    history.add_ai_message(answer)
    assert server.meter.snapshot().operations == 102

    history.clear()
    assert history.messages == []


def test_stops_under_a_call_that_hangs_and_starts_again_with_what_it_had(
    server: EmbeddedMomento, client: CacheClient
) -> None:
    ok(client.set(CACHE, "key", "value"))
    server.faults.hang("Set")
    with ThreadPoolExecutor(1) as threads:
        hanging = threads.submit(client.set, CACHE, "key", "other")
        while server.meter.snapshot().calls["Set"] < 2:
            time.sleep(0.001)
        assert server._threads is not None
        threads_of_server = set(server._threads._threads)
        server.stop()
        assert error(hanging.result()).error_code == MomentoErrorCode.SERVER_UNAVAILABLE
    assert threads_of_server
    assert not [thread for thread in threads_of_server if thread.is_alive()]
    port = server.port
    assert server.start() == port
    # A client backs off for a second once it was refused, and all channels of a process share that.
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = cacheclient_pb2_grpc.ScsStub(channel)  # type: ignore[no-untyped-call]
        assert stub.Get(pb._GetRequest(cache_key=b"key"), metadata=METADATA).cache_body == b"value"


def test_takes_no_port_that_is_taken_and_starts_once(server: EmbeddedMomento) -> None:
    with pytest.raises(RuntimeError, match="runs already"):
        server.start()
    with pytest.raises(RuntimeError, match="bind"):
        EmbeddedMomento(server.port).start()
    server.stop()
    server.stop()


def test_ends_silently_even_when_nobody_stops_it() -> None:
    program = """
import threading
import time
from local.momento import EmbeddedMomento
from tests.contract.embedded_momento.support import CACHE, connect, ok
for stops in (True, False):
    server = EmbeddedMomento()
    client = connect(server.start())
    ok(client.create_cache(CACHE))
    server.faults.hang("Get")
    threading.Thread(target=client.get, args=(CACHE, "key")).start()
    while "Get" not in server.meter.snapshot().calls:
        time.sleep(0.001)
    if stops:
        server.stop()
"""
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", program]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
