"""Print the outputs of a deployed stack: ``python -m tools.outputs STAGE [OPTION…]``, in SAM's environment.

The table that ``sam deploy`` prints breaks long values at hyphens, so that a command cannot be copied out of it.
"""

from __future__ import annotations

import sys

from tools import deployment
from tools.environment import say


def main() -> int:
    """Run the command line."""
    from botocore.exceptions import BotoCoreError, ClientError

    if len(sys.argv) < 2:
        say("usage: python -m tools.outputs STAGE [OPTION…]")
        return 2
    try:
        target = deployment.read(sys.argv[1], sys.argv[2:])
        outputs = deployment.described_outputs(target.session(), target.stack_name)
    except deployment.WrongOptions:
        return 2
    except (BotoCoreError, ClientError) as failed:
        say(str(failed))
        return 1
    print("\n\n".join(f"# {output.name}: {output.description}\n{output.value}" for output in outputs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
