#!/bin/sh
# Lambda runs this in place of its own runtime loop (AWS_LAMBDA_EXEC_WRAPPER) and names that loop: an interpreter, then
# its script. The interpreter stays; the loop becomes the layer's, whose answers leave as they come.
case "$1" in
  *python*) interpreter=$1 ;;
  *) interpreter=python3 ;;
esac
export PYTHONPATH="/opt/python${PYTHONPATH:+:$PYTHONPATH}"
exec "$interpreter" -P -m chat_core.runtime
