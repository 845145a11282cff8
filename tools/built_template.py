"""Say in a built template for which architecture it was built: ``python -m tools.built_template FILE ARCHITECTURE``.

Run in SAM's environment. The artefacts hold machine code, and ``sam deploy`` would put them into functions of another
architecture without a word. With one allowed value, CloudFormation refuses.
"""

from __future__ import annotations

import sys
from pathlib import Path


def pin_architecture(text: str, architecture: str) -> str:
    """Make an architecture the default, and the only allowed value, of a template's parameter ``Architecture``."""
    from samcli.yamlhelper import yaml_dump, yaml_parse

    template = yaml_parse(text)
    template["Parameters"]["Architecture"].update(Default=architecture, AllowedValues=[architecture])
    written: str = yaml_dump(template)
    return written


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(pin_architecture(path.read_text(encoding="utf-8"), sys.argv[2]), encoding="utf-8")
