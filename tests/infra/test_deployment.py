"""What a deployer writes arrives: samconfig.toml and the documented options, read by SAM's own parser."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.settings import HistorySettings
from local.cloudformation import load_template
from tests.infra import stack
from tools import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STAGES = {"default": "dev", "staging": "staging", "prod": "prod"}


class Sam:
    """SAM in a process of its own environment, which answers one question after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, *question: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question, default=str) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "SAM's process has ended; the reason stands above"
        return json.loads(answer)


@pytest.fixture(scope="session")
def sam_python() -> Path:
    subprocess.run(["make", "--silent", ".venv-sam/.installed"], cwd=stack.ROOT, check=True)  # noqa: S607
    return build.SAM_ENVIRONMENT / "bin" / "python"


@pytest.fixture(scope="session")
def sam(sam_python: Path) -> Iterator[Sam]:
    env = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    command: list[str | Path] = [sam_python, "-m", "tests.infra.in_sam"]
    with subprocess.Popen(  # noqa: S603
        command, cwd=stack.ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Sam(process)


@pytest.fixture(scope="session")
def read(sam: Sam) -> Callable[..., list[dict[str, Any]]]:
    def read(*lines: tuple[str, str], file: Path = stack.ROOT / "samconfig.toml") -> list[dict[str, Any]]:
        words = [(stage, shlex.split(options)) for stage, options in lines]
        answer: list[dict[str, Any]] = sam.ask("read", file, words)
        return answer

    return read


def memory(parameters: dict[str, str]) -> object:
    """The memory settings that the functions of such a deployment read; what the template refuses fails."""
    declared = stack.template()["Parameters"]
    for name, value in parameters.items():
        assert value in declared[name].get("AllowedValues", [value]), name
        if declared[name]["Type"] == "Number":
            assert declared[name]["MinValue"] <= int(value) <= declared[name]["MaxValue"], name
    return HistorySettings.from_env(stack.environment("HistoryFunction", **parameters)).default_memory


def test_every_stage_is_read_as_it_is_meant(read: Any) -> None:
    deployments = read(*((stage, "") for stage in STAGES))
    for deployment, stage in zip(deployments, STAGES.values(), strict=True):
        assert deployment["stack_name"] == f"omoide-{stage}"
        assert deployment["parameters"]["Stage"] == stage
        assert memory(deployment["parameters"]) == {"policy": "message_window", "max_messages": 20}


def test_the_default_memory_survives_the_command_line(read: Any) -> None:
    wanted = {"policy": "token_window", "max_tokens": 2000}
    key = "ParameterKey={},ParameterValue={}".format
    longhand = f"{key('MemoryPolicy', 'token_window')} {key('MemoryMaxTokens', 2000)}"
    for deployment in read(
        ("default", "--parameter-overrides MemoryPolicy=token_window MemoryMaxTokens=2000"),
        ("default", "--parameter-overrides 'MemoryPolicy=token_window MemoryMaxTokens=2000'"),
        ("default", f"--parameter-overrides {longhand}"),
    ):
        assert memory(deployment["parameters"]) == wanted


@pytest.mark.parametrize(
    "overrides",
    [
        '["Stage=dev", "MemoryPolicy=turn_window", "MemoryMaxTurns=6", "Architecture=x86_64"]',
        '"Stage=dev MemoryPolicy=turn_window MemoryMaxTurns=6 Architecture=x86_64"',
        # as `sam deploy --guided` writes them
        '"Stage=\\"dev\\" MemoryPolicy=\\"turn_window\\" MemoryMaxTurns=\\"6\\" Architecture=\\"x86_64\\""',
    ],
)
def test_parameters_survive_each_form_of_samconfig(read: Any, tmp_path: Path, overrides: str) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text(
        "version = 0.1\n[default.deploy.parameters]\n"
        f'stack_name = "omoide-dev"\nregion = "eu-west-1"\nparameter_overrides = {overrides}\n'
    )
    [deployment] = read(("default", ""), file=file)
    assert deployment["region"] == "eu-west-1"
    assert deployment["architecture"] == "x86_64"
    assert memory(deployment["parameters"]) == {"policy": "turn_window", "max_turns": 6}


def test_one_switch_chooses_the_architecture_of_build_and_deployment(read: Any) -> None:
    assert [deployment["architecture"] for deployment in read(("default", ""), ("prod", ""))] == ["arm64", "arm64"]
    options = ["--parameter-overrides", "Architecture=x86_64"]
    assert build.read_deployment("default", options)["architecture"] == "x86_64"
    with pytest.raises(build.BuildFailed, match="No such option: --nonsense"):
        build.read_deployment("default", ["--nonsense"])


def test_a_built_template_allows_the_architecture_that_it_was_built_for(sam_python: Path, tmp_path: Path) -> None:
    target = tmp_path / "finished.yaml"
    command: list[str | Path] = [sam_python, "-m", "tools.built_template", stack.ROOT / "template.yaml", target]
    subprocess.run([*command, "x86_64", "{}"], cwd=stack.ROOT, check=True)  # noqa: S603
    before, after = stack.template(), load_template(target)
    declared = {**before["Parameters"]["Architecture"], "Default": "x86_64", "AllowedValues": ["x86_64"]}
    assert after["Parameters"] == {**before["Parameters"], "Architecture": declared}
    assert set(after["Resources"]) == set(before["Resources"])


def test_a_changed_parameter_publishes_a_version_of_every_function(sam: Sam) -> None:
    def versions(parameters: dict[str, str]) -> list[str]:
        found: list[str] = sam.ask("versions", stack.ROOT / "template.yaml", parameters)
        assert len(found) == len(stack.functions())
        return found

    before = versions({"Stage": "dev"})
    assert versions({"Stage": "dev"}) == before
    assert set(versions({"Stage": "dev", "CacheEpoch": "1"})).isdisjoint(before)
