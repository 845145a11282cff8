"""Runs files of cases against the code: ``python -m tests.conformance FILE [--only PATTERN]``.

A kind of cases is one file here and its line in `tests.conformance.kinds`.
"""
