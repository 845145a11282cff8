"""Callers who post to several conversations at once, try again, or give up, and remember what they were told."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
from moto.backends import get_backend
from openai import APIConnectionError, APIError, APIStatusError, OpenAI

from tests.langchain_reader import parse_element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.model.server import StandInModel
    from local.momento import EmbeddedMomento
    from tests.dev_server import RunningServer
    from tests.fault.fate import Fate

CONVERSATIONS = 6
CALLERS = 8
TRIES = 3
PATIENT = 40
SECONDS_A_TURN = 5.0
BUFFER = {"policy": "buffer"}


@dataclass
class Post:
    """A post, and what became of it as far as its caller knows."""

    conversation: str
    text: str
    caller: int
    streamed: bool
    answer: str = ""
    given_up: bool = False
    """Whether its caller went on without an answer; one that comes later is behind what was sent meanwhile."""

    @property
    def acknowledged(self) -> bool:
        return bool(self.answer)

    def request(self) -> dict[str, Any]:
        key = {"Idempotency-Key": self.text.replace(" ", "-")}
        return {"model": "m", "conversation": self.conversation, "input": self.text, "extra_headers": key}


@dataclass
class Callers:
    """All of them, and what they stand before."""

    server: RunningServer
    model: StandInModel
    momento: EmbeddedMomento
    fate: Fate
    seed: int
    user: str = field(default_factory=lambda: f"chaos-{uuid.uuid4().hex}")
    posts: list[Post] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Make the conversations, while all is well."""
        self._lock = threading.Lock()
        self.openai = OpenAI(
            base_url=self.server.url,
            api_key="local",
            max_retries=PATIENT,
            timeout=60,
            default_headers={"X-Local-User": self.user},
        )
        made = (self.openai.conversations.create(extra_body={"memory": BUFFER}) for _ in range(CONVERSATIONS))
        self.conversations = [one.id for one in made]

    def __str__(self) -> str:
        kills = self.server.output().count("ended with signal 9")
        there = sum(len(self.items(name)) // 2 for name in self.conversations)
        return (
            f"{len(self.acknowledged)} acknowledged of {len(self.posts)} posts, {there} turns in {CONVERSATIONS} "
            f"conversations; {kills} environments killed, {sum(self.fate.happened.values())} things happened: "
            f"{dict(sorted(self.fate.happened.items()))}; told meanwhile: {dict(sorted(self.errors.items()))}"
        )

    @property
    def acknowledged(self) -> list[Post]:
        return [post for post in self.posts if post.acknowledged]

    def talk(self, turns: int) -> None:
        """Post until so many turns are acknowledged, or it takes too long."""
        until = time.monotonic() + 60 + SECONDS_A_TURN * turns
        callers = min(CALLERS, turns // 2)
        with ThreadPoolExecutor(callers) as threads:
            for work in [threads.submit(self._talk, caller, turns, until) for caller in range(callers)]:
                work.result()

    def _talk(self, caller: int, turns: int, until: float) -> None:
        chance = random.Random(self.seed * 1_000 + caller)
        hasty = self.openai.with_options(max_retries=2)
        number = 0
        while len(self.acknowledged) < turns and time.monotonic() < until:
            self.fate.befall()
            number += 1
            text = f"chaotic words {caller}.{number}"
            post = Post(chance.choice(self.conversations), text, caller, streamed=chance.random() < 0.5)
            with self._lock:
                self.posts.append(post)
            for _ in range(chance.randint(1, TRIES)):
                self._post(post, hasty)
                if post.acknowledged:
                    break
            post.given_up = not post.acknowledged

    def _post(self, post: Post, client: OpenAI) -> None:
        try:
            if post.streamed:
                *_, last = client.responses.create(**post.request(), stream=True)
                assert last.type == "response.completed", last.type
                post.answer = last.response.output[0].id
            else:
                post.answer = client.responses.create(**post.request()).output[0].id
        except APIStatusError as error:
            self._told(str(error.status_code))
        except APIConnectionError:
            self._told("connection")
        except (APIError, httpx.HTTPError):
            self._told("stream")

    def _told(self, what: str) -> None:
        with self._lock:
            self.errors[what] += 1

    def come_again(self) -> None:
        """Send every other post that was given up once more, now that all is well, and one to each conversation."""
        given_up = [post for post in self.posts if not post.acknowledged][::2]
        with ThreadPoolExecutor(CALLERS) as threads:
            list(threads.map(lambda post: self._post(post, self.openai), given_up))
            list(threads.map(self.post_at_last, self.conversations))
        assert all(post.acknowledged for post in given_up), "all is well, and yet it is refused"

    def post_at_last(self, conversation: str) -> None:
        """Post a turn while all is well."""
        post = Post(conversation, f"chaotic words at last {uuid.uuid4().hex}", -1, streamed=False)
        self._post(post, self.openai)
        assert post.acknowledged, "all is well, and yet it is refused"
        with self._lock:
            self.posts.append(post)

    def one_after_the_other(self, conversation: str) -> Iterator[tuple[Post, Post]]:
        """Give pairs of acknowledged posts of one caller, the later sent when the earlier was acknowledged."""
        for caller in range(CALLERS):
            own = [post for post in self.posts if (post.caller, post.conversation) == (caller, conversation)]
            for earlier, later in pairwise(own):
                if earlier.acknowledged and not earlier.given_up and later.acknowledged:
                    yield earlier, later

    def items(self, conversation: str) -> list[dict[str, Any]]:
        """All items of a conversation, as a client pages through them."""
        page = self.openai.conversations.items.list(conversation, order="asc", limit=100)
        return [item.to_dict() for item in page]

    def texts(self, conversation: str) -> list[str]:
        return ["".join(part["text"] for part in item["content"]) for item in self.items(conversation)]

    def hot_texts(self, conversation: str) -> list[str]:
        """The texts on the hot list, as Momento has it."""
        cache = self.momento.caches.get("omoide")
        with cache.lock:
            elements = list(cache.elements(f"message_store:{self.user}/{conversation}".encode()) or ())
        messages = (parse_element(element.decode()) for element in elements)
        return [message.text for message in messages if message]

    def erase_everything(self) -> bool:
        """Erase what there is, and again what a receipt says is left: rows by all, copies by their names."""
        url, headers = f"{self.server.url}/conversations", {"X-Local-User": self.user}
        for _ in range(PATIENT):
            receipt = httpx.delete(url, params={"all": "true"}, headers=headers, timeout=60).json()
            left = {one["what"] for one in receipt["omoide"]["may_remain"]}
            if receipt["deleted"] and left.isdisjoint({"history_lists", "memory_values"}):
                return True
            for name in self.conversations if receipt["deleted"] else ():
                httpx.delete(f"{url}/{name}", headers=headers, timeout=60)
        return False

    def rows(self) -> list[str]:
        """Keys of the user's rows, past the store's own ways."""
        return [
            str(pk.value)
            for account in get_backend("dynamodb").values()
            for backend in account.values()
            for table in backend.tables.values()
            for pk, rows in table.items.items()
            if rows and str(pk.value).startswith(f"{self.user}/")
        ]

    def copies(self) -> list[bytes]:
        """Keys of the user's copies in Momento."""
        cache = self.momento.caches.get("omoide")
        with cache.lock:
            return [key for key in cache._items if self.user.encode() in key]

    def close(self) -> None:
        self.openai.close()
