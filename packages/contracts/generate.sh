#!/bin/sh
# Makes the stubs beside their protos. `make check` runs it again and compares.
set -eu
cd "$(dirname "$0")/src"
PYTHON=${PYTHON:-$(cd ../../.. && pwd)/.venv/bin/python}
PATH=$(dirname "$PYTHON"):$PATH "$PYTHON" -m grpc_tools.protoc -I . --python_out=. --grpc_python_out=. \
    --mypy_out=. --mypy_grpc_out=. contracts/*.proto
