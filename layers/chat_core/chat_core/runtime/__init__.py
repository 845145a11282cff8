"""Lambda's runtime loop, whose answers leave as they come: Lambda's own for Python keeps each until it is whole.

``functions/chat/stream.sh`` runs this package in place of Lambda's own loop. It asks Lambda's Runtime API for events
and hands each to the handler's module: to its ``streaming_handler(event, context, send)`` where there is one (see
`Send`), to the handler itself where there is none.

The standard library alone, and nothing of the core: it is there before any package is found.
"""

from chat_core.runtime.ahead import import_ahead, import_beside
from chat_core.runtime.answer import Send

__all__ = ["Send", "import_ahead", "import_beside"]
