"""Events as the text of a stream: any client reads from it what was written."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chat_core.api.streams import chunk_frames, event_frames

events = st.lists(st.fixed_dictionaries({"type": st.sampled_from(["response.created", "x.delta"]), "delta": st.text()}))


@given(events)
def test_each_event_is_named_and_on_one_line_for_any_client(given: list[dict[str, Any]]) -> None:
    frames = list(event_frames(given))
    for frame, event in zip(frames, given, strict=True):
        # `str.splitlines` also takes U+0085, U+2028 and U+2029 for ends of a line.
        name, data, end = frame.splitlines()
        assert (name, end) == (f"event: {event['type']}", "")
        assert json.loads(data.removeprefix("data: ")) == event
        assert frame.endswith("\n\n")


def test_text_that_holds_ends_of_lines_comes_back_as_it_was() -> None:
    event = {"type": "x", "delta": "a\r\nb\nc\x85d\u2028e\u2029f 日本語"}
    frame = next(event_frames([event]))
    assert frame.count("\n") == 3
    assert "日本語" in frame
    assert json.loads(frame.splitlines()[1].removeprefix("data: ")) == event


def test_chunks_have_no_name_and_end_with_a_mark() -> None:
    assert "".join(chunk_frames([{"a": 1}])) == 'data: {"a":1}\n\ndata: [DONE]\n\n'


def test_halves_of_a_character_that_come_apart_are_whole_when_they_are_joined() -> None:
    frames = list(event_frames({"type": "x", "delta": half} for half in ("\ud83d", "\ude00")))
    told = [json.loads(frame.encode().decode().split("data: ")[1]) for frame in frames]
    joined = "".join(event["delta"] for event in told)
    assert joined.encode("utf-16", "surrogatepass").decode("utf-16") == "😀"
