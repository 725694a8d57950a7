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
for name in ('libvitalis', 'libtbb', 'libsimdjson', 'libcurl', 'libcrypto'):
    assert any(name in line and sys.prefix in line for line in maps.splitlines()), name
assert vitalis._native.is_bundled"
"$python" -m unittest -q conversation_test chat_test completions_test model_test plan_test config_test tokenizer_test parser_test session_test \
  tools_test
# With the hub's certificates given, and with those of the system looked up.
[ -z "${VITALIS_MOCK_HUB:-}" ] || "$python" -m unittest -q hub_test
