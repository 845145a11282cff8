"""Dependencies without parameters: Powertools is spared looking for them, and still gets what they give."""

from __future__ import annotations

from typing import get_type_hints

import chat.handler
import history.handler


def test_powertools_finds_no_types_to_evaluate() -> None:
    for module in (chat.handler, history.handler):
        for dependency in (module.parts, module.deadline):
            assert get_type_hints(dependency, include_extras=True) == {}
