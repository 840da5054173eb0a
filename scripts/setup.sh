#!/usr/bin/env bash
# Makes a virtual environment with the pinned requirements and this project in it.
# Uses uv where it is, pip where not; both end with the same versions and with byte code.
set -euo pipefail
venv=$1
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "This project needs Python 3.11 or newer; '$python' is $("$python" --version)." >&2
    echo "Name another one: make setup PYTHON=python3.12" >&2
    exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
if command -v uv >/dev/null; then
    uv pip install --quiet --python "$venv/bin/python" --compile-bytecode \
        -r requirements-dev.txt -r requirements-oracle.txt
    uv pip install --quiet --python "$venv/bin/python" --no-deps --editable .
else
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        -r requirements-dev.txt -r requirements-oracle.txt
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --editable .
fi
