"""Answers as the server-sent events in which OpenAI streams them: pure, and the same each time."""

from chat_core.api.streams.chat import completion_chunks
from chat_core.api.streams.forms import CompletionStream, ResponseStream, StreamForm
from chat_core.api.streams.frames import chunk_frames, event_frames
from chat_core.api.streams.responses import response_events

__all__ = [
    "CompletionStream",
    "ResponseStream",
    "StreamForm",
    "chunk_frames",
    "completion_chunks",
    "event_frames",
    "response_events",
]
