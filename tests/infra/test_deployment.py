"""What a deployer writes arrives: samconfig.toml and the documented options, read by SAM's own parser."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from chat_core.settings import HistorySettings
from local.cloudformation import load_template
from tests.infra import stack
from tools import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STAGES = {"default": "dev", "staging": "staging", "prod": "prod"}
# In a process of SAM's environment: one start reads many command lines.
READ = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from tools import deployment
deployment.CONFIGURATION = Path(sys.argv[1])
print(json.dumps([asdict(deployment.read(*line)) for line in json.loads(sys.argv[2])]))
"""


@pytest.fixture(scope="session")
def sam() -> Path:
    subprocess.run(["make", "--silent", ".venv-sam/.installed"], cwd=stack.ROOT, check=True)  # noqa: S607
    return build.SAM_ENVIRONMENT / "bin" / "python"


@pytest.fixture
def read(sam: Path) -> Callable[..., list[dict[str, Any]]]:
    def read(*lines: tuple[str, str], file: Path = stack.ROOT / "samconfig.toml") -> list[dict[str, Any]]:
        words = [(stage, shlex.split(options)) for stage, options in lines]
        done = subprocess.run(  # noqa: S603
            [sam, "-c", READ, file, json.dumps(words)], cwd=stack.ROOT, capture_output=True, text=True, check=True
        )
        answer: list[dict[str, Any]] = json.loads(done.stdout)
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


def test_one_switch_chooses_the_architecture_of_build_and_deployment(sam: Path, read: Any) -> None:
    assert sam.exists()
    assert [deployment["architecture"] for deployment in read(("default", ""), ("prod", ""))] == ["arm64", "arm64"]
    options = ["--parameter-overrides", "Architecture=x86_64"]
    assert build.read_deployment("default", options)["architecture"] == "x86_64"
    with pytest.raises(build.BuildFailed, match="No such option: --nonsense"):
        build.read_deployment("default", ["--nonsense"])


def finished(sam: Path, folder: Path, parameters: dict[str, str]) -> dict[str, Any]:
    target = folder / "finished.yaml"
    command: list[str | Path] = [sam, "-m", "tools.built_template", stack.ROOT / "template.yaml", target, "x86_64"]
    subprocess.run([*command, json.dumps(parameters)], cwd=stack.ROOT, check=True)  # noqa: S603
    return load_template(target)


def test_a_built_template_allows_the_architecture_that_it_was_built_for(sam: Path, tmp_path: Path) -> None:
    before, after = stack.template(), finished(sam, tmp_path, {})
    declared = {**before["Parameters"]["Architecture"], "Default": "x86_64", "AllowedValues": ["x86_64"]}
    assert after["Parameters"] == {**before["Parameters"], "Architecture": declared}
    assert set(after["Resources"]) == set(before["Resources"])


# In a process of SAM's environment: the logical ids of the versions that SAM's transform makes of a template.
VERSIONS = """
import json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
template = yaml_parse(open(sys.argv[1]).read())
for resource in template["Resources"].values():
    for name in {"CodeUri", "ContentUri"} & set(resource["Properties"]):
        resource["Properties"][name] = "s3://bucket/" + resource["Properties"][name]
values = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
translated = Translator({}, Parser()).translate(template, values | json.loads(sys.argv[2]))
print(json.dumps([id for id, one in translated["Resources"].items() if one["Type"] == "AWS::Lambda::Version"]))
"""


def test_a_changed_parameter_publishes_a_version_of_every_function(sam: Path, tmp_path: Path) -> None:
    def versions(parameters: dict[str, str]) -> list[str]:
        finished(sam, tmp_path, parameters)
        command: list[str | Path] = [sam, "-c", VERSIONS, tmp_path / "finished.yaml", json.dumps(parameters)]
        done = subprocess.run(  # noqa: S603
            command,
            env={"AWS_DEFAULT_REGION": "us-east-1"},
            cwd=stack.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        found: list[str] = json.loads(done.stdout)
        assert len(found) == len(stack.functions())
        return found

    before = versions({"Stage": "dev"})
    assert versions({"Stage": "dev"}) == before
    assert set(versions({"Stage": "dev", "CacheEpoch": "1"})).isdisjoint(before)
