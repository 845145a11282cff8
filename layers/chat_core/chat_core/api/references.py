"""What a request's body may ask of the one provider account that serves all users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chat_core.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_REFERENCES = frozenset(
    {
        "file_id",
        "file_ids",
        "vector_store_id",
        "vector_store_ids",
        "container",
        "container_id",
        "server_url",
        "connector_id",
        "skill_id",
    }
)
_REFERENCE_TYPES = frozenset({"item_reference", "skill_reference", "container_reference"})
_OBJECT = "References to objects at the model's provider are not allowed here."
_ITEM = (
    "An item_reference is understood to an item of one's own stored responses and conversations. Send the item "
    "itself: clients do that with `store: false`."
)
# Free JSON of the caller's own: what stands in it names nothing at the provider.
_FREE = frozenset({"parameters", "schema", "metadata", "arguments", "memory"})


# Options of OpenAI's SDKs, which they merge into a request or keep to themselves: none of them is a parameter of it.
_SDK_OPTIONS = ("extra_body", "extra_headers", "extra_query", "timeout")


def check_unsendable(body: Mapping[str, Any], *, ours: tuple[str, ...] = ("omoide",)) -> None:
    """Refuse members that the cache's key does not hold as the model would get them.

    Parameters
    ----------
    ours
        Names of ours that this request has no use for.

    Raises
    ------
    InvalidRequest
        With the first of them.
    """
    name = next((name for name in (*_SDK_OPTIONS, *ours) if name in body), None)
    if name in _SDK_OPTIONS:
        message = f"`{name}` is an option of the SDK, not a parameter; put its members into the request itself."
        raise InvalidRequest(message, param=name, code="unknown_parameter")
    if name is not None:
        message = f"`{name}` is no parameter of this request."
        raise InvalidRequest(message, param=name, code="unknown_parameter")


def check_provider_references(body: Mapping[str, Any], *, understood: Collection[str] = ()) -> None:
    """Refuse references to objects at the provider: they belong to the account, not to this user.

    Parameters
    ----------
    understood
        Paths of references that are none to the provider.

    Raises
    ------
    InvalidRequest
        With the path of the first reference.
    """
    if body.get("prompt") is not None:
        raise _refused("prompt", _OBJECT)
    for path, sentence in _references(body, ""):
        if path not in understood:
            raise _refused(path, sentence)


def _refused(path: str, sentence: str) -> InvalidRequest:
    return InvalidRequest(sentence, param=path, code="provider_reference_not_allowed")


def _references(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        kind = value.get("type")
        if isinstance(kind, str) and kind in _REFERENCE_TYPES:
            yield path, _ITEM if kind == "item_reference" else _OBJECT
        for name, child in value.items():
            inner = f"{path}.{name}" if path else name
            if name in _REFERENCES and child is not None:
                yield inner, _OBJECT
            elif name == "audio" and isinstance(child, dict) and child.get("id") is not None:
                yield f"{inner}.id", _OBJECT  # what an assistant once said, in chat completions
            elif name not in _FREE and isinstance(child, dict | list):
                yield from _references(child, inner)
    elif isinstance(value, list):
        for place, child in enumerate(value):
            if isinstance(child, dict | list):
                yield from _references(child, f"{path}[{place}]")
