#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# wheel_test.sh PYTHON SOURCE LIBRARY WORK: builds the wheel, installs it in a fresh environment, and runs
# the package's tests there, with nothing else of the tree in reach. 77: this Python makes no environments.
set -eu
python=$1 source=$2 library=$3 work=$4
rm -rf "$work"
mkdir -p "$work"
wheel=$("$python" "$source/bindings/python/build_wheel.py" --library "$library" --output "$work")
"$python" -m venv "$work/environment" || exit 77
unset PYTHONPATH VITALIS_LIBRARY
python=$work/environment/bin/python
"$python" -m pip install --quiet --no-index --disable-pip-version-check "$wheel"
cd "$source/tests/python"
VITALIS_SOURCE_DIR=$source
export VITALIS_SOURCE_DIR
"$python" -c "
import sys, vitalis
assert vitalis.__file__.startswith(sys.prefix), vitalis.__file__
maps = open('/proc/self/maps').read()
for name in ('libvitalis', 'libtbb', 'libsimdjson'):
    assert any(name in line and sys.prefix in line for line in maps.splitlines()), name"
"$python" -m unittest -q conversation_test chat_test completions_test model_test tokenizer_test parser_test tools_test
