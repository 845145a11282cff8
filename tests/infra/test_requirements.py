from __future__ import annotations

import re
import tomllib

import pytest

from tests.infra.stack import ROOT

FOLDER = ROOT / "requirements"
FILES = sorted(path.stem for path in FOLDER.glob("*.txt"))
_PIN = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str]]:
    return set(_PIN.findall((FOLDER / f"{name}.txt").read_text(encoding="utf-8")))


def test_every_group_is_pinned() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert sorted(groups) == FILES


@pytest.mark.parametrize(
    ("inner", "outer"), [("layer", "run"), ("run", "dev"), ("lambda", "dev"), ("authorizer", "dev")]
)
def test_one_version_of_a_package_everywhere(inner: str, outer: str) -> None:
    assert pins(inner)
    assert pins(inner) <= pins(outer)


@pytest.mark.parametrize("name", FILES)
def test_only_pins_with_hashes_and_no_address(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    entries = text.replace("\\\n", " ").splitlines()
    assert entries
    for entry in entries:
        assert _PIN.match(entry), entry
        assert " --hash=sha256:" in entry, entry
    assert "://" not in text


def test_layer_is_built_from_its_pins_and_leaves_boto3_to_lambda() -> None:
    assert (ROOT / "layers" / "chat_core" / "requirements.txt").read_bytes() == (FOLDER / "layer.txt").read_bytes()
    assert {"boto3", "botocore"}.isdisjoint(dict(pins("layer")))


@pytest.mark.parametrize("function", ["chat", "history"])
def test_functions_bring_no_package_that_would_shadow_the_layers(function: str) -> None:
    text = (ROOT / "functions" / function / "requirements.txt").read_text(encoding="utf-8")
    assert all(line.startswith("#") for line in text.splitlines())


def test_the_authorizer_brings_only_what_the_layer_has_not() -> None:
    own = ROOT / "functions" / "authorizer" / "requirements.txt"
    assert own.read_bytes() == (FOLDER / "authorizer.txt").read_bytes()
    assert dict(pins("authorizer")).keys().isdisjoint(dict(pins("layer")))
