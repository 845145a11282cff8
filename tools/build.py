"""Build what ``sam deploy`` ships, without Docker: ``python -m tools.build [--arch ARCH] [--stage STAGE] [OPTION…]``.

It is built for the deployment that samconfig.toml and the options of ``sam deploy`` describe.

SAM's own build, run with Lambda's Python first on the path, then bytecode for everything, which cuts a cold start's
imports to less than half. Neither depends on times, so the same sources make the same artefacts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tools import lambda_python
from tools.environment import locked, say
from tools.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SAM_ENVIRONMENT = ROOT / ".venv-sam"
LAMBDA_ENVIRONMENT = ROOT / ".venv-lambda"
HOST_BUILD = ROOT / ".aws-sam-host"
"""What is built to run on this machine."""

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
_INPUTS = ("template.yaml", "samconfig.toml", "layers", "functions", "tools")


class BuildFailed(Exception):
    """The build stopped; the message says why."""


def build(folder: Path, *, architecture: str, parameters: Mapping[str, str] | None = None) -> Path:
    """Build the template's layer and functions, unless nothing has changed since the last time.

    Parameters
    ----------
    folder
        Holds the artefacts under ``build``, and SAM's caches.
    architecture
        ``arm64``, ``x86_64``, or ``host`` for this machine's.
    parameters
        Overrides with which it will be deployed, where that is known.

    Returns
    -------
    Path
        The folder of the artefacts: one a function and layer, and the template that names them, finished as
        `tools.built_template` says.

    Raises
    ------
    BuildFailed
        If SAM or the compiler fails, or this machine's architecture is none of Lambda's.
    lambda_python.NoInterpreter
        If there is no Python of Lambda's version.
    """
    target = host_architecture() if architecture == "host" else architecture
    folder.mkdir(parents=True, exist_ok=True)
    artefacts, stamp = folder / "build", folder / "inputs.sha256"
    with locked(folder):
        python = lambda_python.make_environment(LAMBDA_ENVIRONMENT)
        inputs = _digest_of_inputs(target)
        if stamp.is_file() and stamp.read_text() == inputs and artefacts.is_dir():
            say("The artefacts are up to date.")
        else:
            stamp.unlink(missing_ok=True)
            _sam_build(folder, artefacts, python.parent, target)
            (artefacts / "template.yaml").replace(folder / "built.yaml")
            say("Compiling the bytecode …")
            for artefact in _artefacts(artefacts):
                _compile(python, artefact)
            stamp.write_text(inputs)
        _finish_template(folder / "built.yaml", artefacts / "template.yaml", target, parameters or {})
    return artefacts


def _finish_template(built: Path, finished: Path, architecture: str, parameters: Mapping[str, str]) -> None:
    _run_in_sams_environment(
        "tools.built_template", str(built), str(finished), architecture, json.dumps(dict(parameters))
    )


def host_architecture() -> str:
    """Name this machine's architecture as Lambda does.

    Raises
    ------
    BuildFailed
        If Lambda has none such.
    """
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        message = f"Lambda has no architecture {machine}."
        raise BuildFailed(message)
    return _ARCHITECTURES[machine]


def size(folder: Path) -> int:
    """Add up the bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def is_layer(artefact: Path) -> bool:
    """Tell a layer, which Lambda unpacks to /opt, from a function, which it unpacks to /var/task."""
    return (artefact / "python").is_dir()


def _artefacts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def read_deployment(stage: str, options: Sequence[str]) -> dict[str, Any]:
    """Read a stage of samconfig.toml and the options of ``sam deploy``: the members of `tools.deployment.Deployment`.

    Raises
    ------
    BuildFailed
        If SAM does not take them.
    """
    deployment: dict[str, Any] = json.loads(_run_in_sams_environment("tools.deployment", stage, *options))
    return deployment


def _run_in_sams_environment(module: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [_sam(), "-m", module, *arguments],
        cwd=ROOT,
        env=_sams_variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildFailed(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def _sam() -> Path:
    python = SAM_ENVIRONMENT / "bin" / "python"
    if not python.exists():
        message = f"There is no SAM CLI in {SAM_ENVIRONMENT.name}; `make build` and `make test` install it."
        raise BuildFailed(message)
    return python


def _sams_variables() -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    variables["SAM_CLI_TELEMETRY"] = "0"
    variables["__SAM_CLI_APP_DIR"] = str(SAM_ENVIRONMENT / "app")  # a home need not be writable
    variables.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # SAM wants one, though a build asks no service
    return variables


def _digest_of_inputs(architecture: str) -> str:
    digest = sha256(f"{architecture} {(LAMBDA_ENVIRONMENT / 'pyvenv.cfg').read_text()}".encode())
    for name in _INPUTS:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sam_build(folder: Path, artefacts: Path, interpreter: Path, architecture: str) -> None:
    say(f"Building for {architecture} (half a minute the first time) …")
    command: list[str | Path] = [
        _sam(),
        "-m",
        "samcli",
        "build",
        "--template-file",
        ROOT / "template.yaml",
        "--base-dir",
        ROOT,
    ]
    command += ["--build-dir", artefacts, "--cached", "--cache-dir", folder / "cache"]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    environment = _sams_variables()
    environment["PATH"] = os.pathsep.join([str(interpreter), environment.get("PATH", os.defpath)])
    # Run inside the folder: SAM keeps downloaded packages under the working directory, and builds must not share them.
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        message = f"sam build failed:\n{done.stdout}"
        raise BuildFailed(message)


def _compile(python: Path, artefact: Path) -> None:
    """Compile an artefact's modules, as of the path that Lambda gives them; no path of this machine is left inside.

    Unchecked, since the times in a zip file say nothing about the source.
    """
    command: list[str | Path] = [python, "-m", "compileall", "-q", "-f", "-j", "0"]
    command += ["--invalidation-mode", "unchecked-hash"]
    command += ["-s", artefact, "-p", "/opt" if is_layer(artefact) else "/var/task", artefact]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        message = f"The bytecode of {artefact.name} could not be compiled:\n{done.stdout}"
        raise BuildFailed(message)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.build", description=__doc__.partition(":")[0])
    parser.add_argument("--arch", choices=("arm64", "x86_64", "host"), help="default: as the deployment says")
    parser.add_argument("--stage", default="default", help="of samconfig.toml")
    options, of_deploy = parser.parse_known_args()
    folder = HOST_BUILD if options.arch == "host" else ROOT / ".aws-sam"  # where sam deploy looks
    try:
        lambda_python.make_environment(LAMBDA_ENVIRONMENT)
        deployment = read_deployment(options.stage, of_deploy)
        architecture = options.arch or deployment["architecture"]
        artefacts = build(folder, architecture=architecture, parameters=deployment["parameters"])
    except (BuildFailed, lambda_python.NoInterpreter) as failed:
        say(str(failed))
        return 1
    except subprocess.CalledProcessError:
        say("The environment of Lambda's Python could not be made; the reason stands above.")
        return 1
    for artefact in _artefacts(artefacts):
        kind, total = "layer" if is_layer(artefact) else "function", size(artefact)
        print(f"{kind} {artefact.name}: {total:,} bytes ({total / 2**20:.1f} MiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
