"""Messages, turns and items, and how OpenAI and LangChain write them."""

from chat_core.messages.compact import compact, window_bits
from chat_core.messages.items import from_items, plain_text, stored_item, to_items, upstream_items
from chat_core.messages.langchain import element, fitting
from chat_core.messages.message import BEGINNING, Anchor, Content, Item, Message, Role, ToolCall, Turn, text_of
from chat_core.messages.unicode import mend, mend_text, read_stored_json

__all__ = [
    "BEGINNING",
    "Anchor",
    "Content",
    "Item",
    "Message",
    "Role",
    "ToolCall",
    "Turn",
    "compact",
    "element",
    "fitting",
    "from_items",
    "mend",
    "mend_text",
    "plain_text",
    "read_stored_json",
    "stored_item",
    "text_of",
    "to_items",
    "upstream_items",
    "window_bits",
]
