"""The project's tests; `tests.conformance` runs case files against the code."""
