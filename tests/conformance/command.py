"""The command: runs the cases of a file, names each failed one and counts the others."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.conformance.cases import UnreadableCases, load_cases
from tests.conformance.kinds import run_case


def main(arguments: list[str] | None = None) -> int:
    """Run a file and print each failed case, then the counts; 0 when none failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("file", type=Path, help="a file in the form of tests/cases/*.json")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="ids of the cases to run, e.g. 'CT-*'")
    options = parser.parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # cases hold lone surrogates

    try:
        cases = load_cases(options.file, options.only)
    except UnreadableCases as error:
        sys.stderr.write(f"{error}\n")
        return 2

    counts: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for case in cases:
        outcome = run_case(case)
        counts[outcome.status] += 1
        if outcome.status == "failed":
            _write(f"FAILED {case['id']}", *(f"    {line}" for line in outcome.details))
        elif outcome.status == "skipped":
            skipped.update(outcome.details)
    for reason, count in sorted(skipped.items()):
        _write(f"skipped {count}: {reason}")
    _write(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


def _write(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
