"""The other side: LangChain + Momento as the posts have it, in an environment of its own (requirements/bench.txt).

ConversationChain with ConversationBufferMemory over MomentoChatMessageHistory, and ChatOpenAI. A call without a
conversation makes the session anew, as a function does that keeps none.
``python benchmarks/langchain_momento.py`` takes commands; with ``cold`` it tells of its own start.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

STARTED = time.process_time(), time.perf_counter()
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
warnings.simplefilter("ignore")  # LangChain deprecates what the posts use

MODEL = "gpt-4.1-mini"
CACHE = "langchain"


class Side:
    """One process that serves sessions."""

    def __init__(self) -> None:
        from langchain_openai import ChatOpenAI
        from momento import CacheClient, Configurations, CredentialProvider

        host, _, port = os.environ["MOMENTO_LOCAL"].rpartition(":")
        credentials = CredentialProvider.for_momento_local(host, int(port))
        self._client = CacheClient(Configurations.Laptop.v1(), credentials, timedelta(days=1))
        self._model = ChatOpenAI(model=MODEL)
        self._chains: dict[str, Any] = {}

    def chain(self, session: str) -> Any:
        """Make a session, once."""
        from langchain_classic.chains import ConversationChain
        from langchain_classic.memory import ConversationBufferMemory
        from langchain_community.chat_message_histories import MomentoChatMessageHistory

        if session not in self._chains:
            history = MomentoChatMessageHistory(session, self._client, CACHE)
            memory = ConversationBufferMemory(chat_memory=history)
            self._chains[session] = ConversationChain(llm=self._model, memory=memory)
        return self._chains[session]

    def turn(self, text: str, *, conversation: str) -> dict[str, Any]:
        """Run a turn."""
        chain = self.chain(conversation)
        began, spent = time.perf_counter(), time.process_time()
        failed = ""
        try:
            chain.predict(input=text)
        except Exception as error:
            failed = type(error).__name__
        spent, seconds = time.process_time() - spent, time.perf_counter() - began
        return {"ok": not failed, "failed": failed, "seconds": seconds, "cpu": spent}

    def turns(self, text: str, count: int, *, conversation: str) -> list[dict[str, Any]]:
        """Run turns one after the other."""
        return [self.turn(f"{text}{number}", conversation=conversation) for number in range(count)]

    def fill(self, conversation: str, messages: list[list[str]]) -> None:
        """Write a history: role and text of each message."""
        from langchain_core.messages import AIMessage, HumanMessage, message_to_dict

        self.chain(conversation)  # makes the cache
        made = [HumanMessage(text) if role == "user" else AIMessage(text) for role, text in messages]
        elements = [json.dumps(message_to_dict(message)) for message in made]
        for start in range(0, len(elements), 500):
            page = elements[start : start + 500]
            self._client.list_concatenate_back(CACHE, f"message_store:{conversation}", page)


def cold() -> None:
    """Import the posts' program, answer once, and tell what that took."""
    import resource

    # ruff: noqa: F401 - as the program has them, at its top
    from langchain_classic.chains import ConversationChain
    from langchain_classic.memory import ConversationBufferMemory
    from langchain_community.cache import MomentoCache
    from langchain_community.chat_message_histories import MomentoChatMessageHistory
    from langchain_openai import ChatOpenAI
    from momento import CacheClient, Configurations, CredentialProvider

    imported = time.process_time(), time.perf_counter()
    modules = len(sys.modules)
    answer = Side().turn(f"こんにちは {os.getpid()}", conversation=f"cold-{os.getpid()}")
    assert answer["ok"], answer
    done = {
        "import_cpu": imported[0] - STARTED[0],
        "import": imported[1] - STARTED[1],
        "answer_cpu": time.process_time(),
        "modules": modules,
        "modules_at_answer": len(sys.modules),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(done), flush=True)


def disk() -> None:
    """Tell how many bytes the environment's packages have, and how many packages there are."""
    from importlib.metadata import distributions

    found = [one for one in distributions() if one.metadata["Name"] not in ("pip", "setuptools")]
    files = [file.locate() for one in found for file in one.files or () if file.suffix != ".pyc"]
    size = sum(path.stat().st_size for path in map(Path, map(str, files)) if path.is_file())
    print(json.dumps({"bytes": size, "packages": len(found)}), flush=True)


def main() -> None:
    if sys.argv[1:2] == ["cold"]:
        cold()
    elif sys.argv[1:2] == ["disk"]:
        disk()
    else:
        from benchmarks.program import serve

        side = Side()
        serve({"turn": side.turn, "turns": side.turns, "fill": side.fill}, {})


if __name__ == "__main__":
    main()
