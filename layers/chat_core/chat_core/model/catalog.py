"""What is known of OpenAI's models, in one table: encoding, context window, what an image costs.

Sources: tiktoken's table of models, OpenAI's model pages, its guide "Images and vision".
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal, NamedTuple

from chat_core.errors import InvalidRequest

Encoding = Literal["o200k_base", "cl100k_base"]


class Tiles(NamedTuple):
    """An image costs by its tiles of 512 pixels.

    Parameters
    ----------
    base, tile
        Tokens of every image, and of each tile beside them.
    """

    base: int
    tile: int


class Patches(NamedTuple):
    """An image costs by its patches of 32 pixels.

    Parameters
    ----------
    factor
        Tokens of a patch.
    """

    factor: float


ImageRule = Tiles | Patches


class Model(NamedTuple):
    """What is known of the models of a name.

    Parameters
    ----------
    names
        The models' names, ``*`` for any end.
    encoding
        Of texts.
    context_window
        Tokens that it takes, its answer included; None where that is not known.
    images
        What an image costs.
    known
        Whether it is a model of the table.
    """

    names: str
    encoding: Encoding
    context_window: int | None
    images: ImageRule = Tiles(85, 170)
    known: bool = True


# The first that fits holds.
_MODELS = (
    Model("gpt-5-chat*", "o200k_base", 128_000, Tiles(70, 140)),
    Model("gpt-5-mini*", "o200k_base", 400_000, Patches(1.62)),
    Model("gpt-5-nano*", "o200k_base", 400_000, Patches(2.46)),
    Model("gpt-5*", "o200k_base", 400_000, Tiles(70, 140)),
    Model("gpt-4.1-mini*", "o200k_base", 1_047_576, Patches(1.62)),
    Model("gpt-4.1-nano*", "o200k_base", 1_047_576, Patches(2.46)),
    Model("gpt-4.1*", "o200k_base", 1_047_576),
    Model("gpt-4.5*", "o200k_base", 128_000),
    Model("gpt-4o-mini*", "o200k_base", 128_000, Tiles(2833, 5667)),
    Model("gpt-4o*", "o200k_base", 128_000),
    Model("chatgpt-4o*", "o200k_base", 128_000),
    Model("gpt-oss*", "o200k_base", 131_072),
    Model("o1-preview*", "o200k_base", 128_000, Tiles(75, 150)),
    Model("o1-mini*", "o200k_base", 128_000, Tiles(75, 150)),
    Model("o1*", "o200k_base", 200_000, Tiles(75, 150)),
    Model("o3*", "o200k_base", 200_000, Tiles(75, 150)),
    Model("o4-mini*", "o200k_base", 200_000, Patches(1.72)),
    Model("gpt-4-turbo*", "cl100k_base", 128_000),
    Model("gpt-4-1106*", "cl100k_base", 128_000),
    Model("gpt-4-0125*", "cl100k_base", 128_000),
    Model("gpt-4-32k*", "cl100k_base", 32_768),
    Model("gpt-4", "cl100k_base", 8_192),
    Model("gpt-4-*", "cl100k_base", 8_192),
    Model("gpt-3.5*", "cl100k_base", 16_385),
    Model("gpt-35*", "cl100k_base", 16_385),
    Model("computer-use*", "o200k_base", None, Tiles(65, 129), known=False),
    Model("text-embedding-*", "cl100k_base", None),
    Model("davinci-002*", "cl100k_base", None),
    Model("babbage-002*", "cl100k_base", None),
    Model("*", "o200k_base", None, known=False),
)


@lru_cache(maxsize=256)
def model_of(name: str) -> Model:
    """Find a model; one that nobody here knows is taken for one of the current ones.

    Parameters
    ----------
    name
        As a request has it; of a fine-tuned model (``ft:gpt-4o-mini:org::id``) the base model is found.
    """
    base = name.split(":")[1] if name.startswith("ft:") else name
    return next(model for model in _MODELS if fnmatchcase(base, model.names))


def check_model(name: str, allowed: frozenset[str]) -> None:
    """Refuse a model that the operator does not allow.

    Raises
    ------
    InvalidRequest
        If there is a list and the model is not on it.
    """
    if allowed and name not in allowed:
        raise InvalidRequest("This model may not be used here.", param="model", code="model_not_allowed")
