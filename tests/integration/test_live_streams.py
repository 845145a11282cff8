"""Answers that leave while the model makes them, through `streaming_handler`."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from local.model import faults
from tests.nightly import NIGHTLY
from tests.openai_schema import assert_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.integration.app import Answer, App

PATIENCE = 20.0
BREAKS = (faults.cut_connection, faults.malformed_json, faults.error_event)
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Weather by city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@dataclass(frozen=True)
class Route:
    """A route that streams, and how its streams are read."""

    path: str
    schema: str
    conversation: str = ""

    def body(self, text: str, **more: Any) -> dict[str, Any]:
        if self.path == "/v1/responses":
            place = {"conversation": self.conversation} if self.conversation else {}
            return {"model": "m", "input": text, **place, **more}
        return {"model": "m", "messages": [{"role": "user", "content": text}], **more}

    @property
    def chat(self) -> bool:
        return self.path != "/v1/responses"

    def events(self, answer: Answer) -> list[dict[str, Any]]:
        """The events of a stream, without the mark of its end, each held against OpenAI's schema and its place."""
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        found = [parsed(frame) for frame in answer.body.removesuffix("\n\n").split("\n\n")]
        events = [event for event in found if event is not None]
        for event in events:
            assert_valid(event, self.schema) if "error" not in event or not self.chat else None
        if not self.chat:
            assert [event["sequence_number"] for event in events] == list(range(len(events)))
        return events

    def whole(self, answer: Answer) -> dict[str, Any]:
        """The answer in its last event, or the JSON."""
        if answer.headers["content-type"] == "application/json":
            return dict(answer.body)
        return dict(self.events(answer)[-1]["response"])

    def text(self, events: list[dict[str, Any]]) -> str:
        return "".join(filter(None, map(self.token, events)))

    def token(self, event: dict[str, Any]) -> str | None:
        """What an event says that the model made just then."""
        if self.chat:
            return next((choice["delta"].get("content") for choice in event.get("choices", ())), None)
        return event["delta"] if event["type"] == "response.output_text.delta" else None

    def error(self, answer: Answer) -> dict[str, Any]:
        """The error that a stream ends with; nothing says that it is whole."""
        events = self.events(answer)
        assert "[DONE]" not in answer.body
        if not self.chat:
            failed, last = events[-2:]
            assert (failed["type"], failed["response"]["status"], failed["response"]["output"]) == (
                "response.failed",
                "failed",
                [],
            )
            assert {name: last[name] for name in ("code", "message", "param")}.items() <= last["error"].items()
            assert not any(event["type"] in ("response.completed", "response.incomplete") for event in events)
        error: dict[str, Any] = events[-1]["error"]
        assert_valid({"error": error}, "ErrorResponse")
        return error


def parsed(frame: str) -> Any:
    data = frame.split("data: ", 1)[1]
    if data == "[DONE]":
        return None
    event = json.loads(data)
    assert frame.startswith(f"event: {event['type']}\n" if "type" in event else "data: ")
    return event


@pytest.fixture(params=["turn", "stateless", "chat"])
def route(request: pytest.FixtureRequest) -> Route:
    if request.param == "chat":
        return Route("/v1/chat/completions", "CreateChatCompletionStreamResponse")
    return Route("/v1/responses", "ResponseStreamEvent", f"live-{uuid4().hex}" if request.param == "turn" else "")


def question() -> str:
    return f"Tell me of {uuid4().hex} and of 日本の家族, please: " + "word " * 30


def ask(
    app: App,
    route: Route,
    text: str,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float = 28.0,
    see: Callable[[bytes], None] = lambda _: None,
    **more: Any,
) -> Answer:
    return app.stream(route.path, route.body(text, stream=True, **more), headers=headers, seconds=seconds, see=see)


def calls(app: App) -> int:
    return sum(app.model.calls.values()) - app.calls_before_all


class Gate:
    """Holds the model's token k back until the client has token k - 2."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._changed = threading.Condition()
        self.seen = 0
        self.late: list[int] = []

    def next_token(self, number: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self.seen >= number - 1, PATIENCE):
                self.late.append(number)

    def see(self, piece: bytes) -> None:
        event = parsed(piece.decode().removesuffix("\n\n"))
        with self._changed:
            self.seen += bool(event and self._route.token(event))
            self._changed.notify_all()


@pytest.fixture
def gate(app: App, route: Route, monkeypatch: pytest.MonkeyPatch) -> Gate:
    made = Gate(route)
    monkeypatch.setattr(app.model, "next_token", made.next_token)
    return made


def test_a_token_is_with_the_client_before_the_one_after_next_is_made(app: App, route: Route, gate: Gate) -> None:
    answer = ask(app, route, question(), see=gate.see)
    assert gate.seen > 3
    assert gate.late == []
    assert "first_event;dur=" in answer.headers["server-timing"]
    events = route.events(answer)
    assert route.text(events)
    if route.chat:
        assert answer.body.endswith("data: [DONE]\n\n")
    else:
        assert route.text(events) == events[-1]["response"]["output"][0]["content"][0]["text"]
        assert events[-1]["type"] == "response.completed"


def bare(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the ids, which each stored response has of its own."""
    return [{**item, "id": ""} for item in items]


@pytest.mark.parametrize("streamed_first", [True, False])
def test_a_stream_and_json_are_one_entry_of_the_cache(app: App, route: Route, streamed_first: bool) -> None:
    text = question()
    where = (route, Route(route.path, route.schema, f"{route.conversation}-2" if route.conversation else ""))

    def one(number: int, *, stream: bool) -> Answer:
        if stream:
            return ask(app, where[number], text)
        return app.call("POST", route.path, where[number].body(text))

    first, second = one(0, stream=streamed_first), one(1, stream=not streamed_first)
    assert calls(app) == 1
    assert [answer.headers["x-cache"] for answer in (first, second)] == ["MISS", "HIT"]
    streamed, plain = (first, second) if streamed_first else (second, first)
    told = route.text(route.events(streamed))
    if route.chat:
        assert told == plain.body["choices"][0]["message"]["content"]
    else:
        assert told == plain.body["output"][0]["content"][0]["text"]
        own = ("id", "omoide", "conversation")
        whole = [{**route.whole(answer), **dict.fromkeys(own)} for answer in (streamed, plain)]
        if not route.conversation:
            told_whole, told_plain = ({**one, "output": bare(one["output"])} for one in whole)
            assert told_whole == told_plain


def test_headers_tell_of_the_cache_what_is_known_when_the_model_begins(app: App, route: Route) -> None:
    text = question()
    missed = ask(app, route, text)
    assert (missed.headers["x-cache"], missed.headers["cache-status"]) == ("MISS", "omoide; fwd=uri-miss")
    bypassed = ask(app, route, text, temperature=1)
    assert (bypassed.headers["x-cache"], bypassed.headers["cache-status"]) == (
        "BYPASS",
        "omoide; fwd=bypass; detail=temperature",
    )
    if not route.chat:
        assert route.whole(missed)["omoide"]["cache"]["status"] == "miss"


@pytest.mark.parametrize("kind", range(len(BREAKS)), ids=[each.__name__ for each in BREAKS])
def test_a_model_that_breaks_off_leaves_an_error_and_nothing_else(app: App, route: Route, kind: int) -> None:
    pieces = len(route.events(ask(app, route, question())))
    break_off = BREAKS[kind]
    # Behind each number of events in one way or another; in the nightly run in every way.
    for after in range(1, pieces - 2) if NIGHTLY else range(1 + kind, pieces - 2, len(BREAKS)):
        text = question()
        app.model.script.append(break_off(after=after))
        answer = ask(app, route, text)
        assert route.error(answer)["code"] == "upstream_error"
        assert len(route.events(answer)) == after + (1 if route.chat else 2)
        before = calls(app)
        assert ask(app, route, text).headers["x-cache"] == "MISS"  # nothing of it was cached
        assert calls(app) == before + 1


def test_time_that_is_over_in_the_middle_is_told(app: App, route: Route) -> None:
    ask(app, route, question())  # what is imported once
    app.model.token = 60.0
    answer = ask(app, route, question(), seconds=9.0 if route.conversation else 2.0)
    code = "deadline_exceeded" if route.conversation else "upstream_timeout"
    assert route.error(answer)["code"] == code
    assert len(route.events(answer)) > 2


def test_a_provider_that_does_not_stream_is_cut_as_a_hit_is(app: App, route: Route) -> None:
    app.model.script.append(faults.no_stream())
    answer = ask(app, route, question())
    assert len([event for event in route.events(answer) if route.token(event)]) > 1


def test_both_handlers_write_the_same(app: App, route: Route) -> None:
    text = question()
    first = ask(app, route, text)
    place = {"conversation": f"{route.conversation}-2"} if route.conversation else {}
    body = route.body(text, stream=True) | place
    joined = app.call("POST", route.path, body, headers={"cache-control": "no-cache"})
    assert joined.headers["x-cache"] == "MISS"
    assert route.text(route.events(joined)) == route.text(route.events(first))


def test_usage_of_a_completion_is_for_who_asks_for_it(app: App) -> None:
    chat = Route("/v1/chat/completions", "CreateChatCompletionStreamResponse")
    text = question()
    for _ in range(2):  # as the model makes it, and from the cache
        plain = chat.events(ask(app, chat, text))
        assert not any("usage" in chunk for chunk in plain)
        assert all(chunk["choices"] for chunk in plain)
    assert app.model.requests[-1]["stream_options"] == {"include_usage": True}
    headers = {"cache-control": "no-cache"}
    asked = chat.events(ask(app, chat, text, headers=headers, stream_options={"include_usage": True}))
    assert [chunk["usage"] for chunk in asked[:-1]] == [None] * (len(asked) - 1)
    assert asked[-1]["choices"] == []
    assert asked[-1]["usage"]["total_tokens"] > 0


def test_obfuscation_is_the_providers_as_the_caller_asks(app: App) -> None:
    ask(app, Route("/v1/responses", ""), question(), stream_options={"include_obfuscation": False})
    assert app.model.requests[-1]["stream_options"] == {"include_obfuscation": False}


@pytest.fixture(autouse=True)
def nothing_left(app: App) -> Iterator[None]:
    yield
    assert not app.model.script


def test_events_of_a_turn_have_the_ids_and_the_frame_of_its_history(app: App) -> None:
    turn = Route("/v1/responses", "ResponseStreamEvent", f"live-{uuid4().hex}")
    for text, tools in ((question(), ()), ("What is the weather in Oslo?", (WEATHER,)), (question(), ())):
        if text.startswith("What"):
            turn = Route(turn.path, turn.schema, f"live-{uuid4().hex}")
        events = turn.events(ask(app, turn, text, tools=list(tools)))
        stored = app.call("GET", f"/v1/conversations/{turn.conversation}/items", query={"limit": "1"}).body["data"][0]
        assert {event["item_id"] for event in events if "item_id" in event} == {stored["id"]}
        done = next(event["item"] for event in events if event["type"] == "response.output_item.done")
        announced = next(event["item"] for event in events if event["type"] == "response.output_item.added")
        assert announced["id"] == stored["id"]
        created, completed = events[0]["response"], events[-1]["response"]
        assert stored.pop("omoide")["turn_id"] == completed["omoide"]["turn_id"]
        assert completed["output"] == [done] == [stored]
        assert created["conversation"] == completed["conversation"] == {"id": turn.conversation}
        assert created["omoide"]["turn_id"] == completed["omoide"]["turn_id"]
        assert created["omoide"]["memory"] == completed["omoide"]["memory"]
        assert created["id"] == completed["id"]


def test_a_turn_that_only_reads_streams_and_leaves_no_trace(app: App) -> None:
    turn = Route("/v1/responses", "ResponseStreamEvent", f"live-{uuid4().hex}")
    ask(app, turn, question())
    told = turn.events(ask(app, turn, question(), memory={"read_only": True}))
    assert told[-1]["type"] == "response.completed"
    assert len(app.call("GET", f"/v1/conversations/{turn.conversation}/items").body["data"]) == 2
    dry = ask(app, turn, question(), memory={"dry_run": True})
    assert dry.body["object"] == "conversation.context"


def test_a_turn_that_breaks_off_leaves_nothing_and_the_next_goes_on(app: App) -> None:
    turn = Route("/v1/responses", "ResponseStreamEvent", f"live-{uuid4().hex}")
    app.model.script.append(faults.cut_connection(after=5))
    assert turn.error(ask(app, turn, question()))["code"] == "upstream_error"
    items = f"/v1/conversations/{turn.conversation}/items"
    gone = app.call("GET", items)
    assert gone.status == 404 or gone.body["data"] == []
    ask(app, turn, question())
    app.model.script.append(faults.error_event(after=9))
    assert turn.error(ask(app, turn, question()))["code"] == "upstream_error"
    assert len(app.call("GET", items).body["data"]) == 2
    assert turn.whole(ask(app, turn, question()))["status"] == "completed"
    assert len(app.call("GET", items).body["data"]) == 4
