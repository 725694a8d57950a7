#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cmake.sh PREFIX WORK SOURCE LIBDIR: find_package in the tree at PREFIX, build, ask.
set -eu
prefix=$1 work=$2/cmake source=$3
rm -rf "$work"
cmake -S "$source/tests/consumer/project" -B "$work" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_BUILD_TYPE=Release -DEXAMPLES="$source/examples"
cmake --build "$work"
for program in c_vitalis c_vitalis_static cpp_vitalis cpp_vitalis_static; do
  "$source/tests/consumer/ask.sh" "$source" "$work/$program"
done
# Nothing but the C interface may be needed from the shared library.
if ldd "$work/c_vitalis_static" | grep libvitalis; then
  echo "the static consumer loads the shared library" >&2
  exit 1
fi
