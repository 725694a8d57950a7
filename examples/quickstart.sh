#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Answers a prompt with the demonstration model: installs what is missing, builds a release in
# build/quickstart, runs it. Standard output has the answer and nothing else.
#   sh examples/quickstart.sh "What is the capital of France?"
set -eu
if [ $# -eq 0 ]; then
  echo 'usage: sh examples/quickstart.sh "PROMPT" [options of vitalis run]' >&2
  exit 2
fi
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/quickstart
log=$build/quickstart.log
. "$root/cmake/packages.sh"

prepare() {
  # shellcheck disable=SC2086 # a list of words
  install_missing $build_packages || return
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DVITALIS_TESTS=OFF || return
  cmake --build "$build" --target vitalis_cli
}

mkdir -p "$build"
[ -x "$build/bin/vitalis" ] || echo "Building Vitalis: this takes a few minutes the first time." >&2
if ! prepare >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "quickstart: the build failed; all of its messages are in $log" >&2
  exit 1
fi
prompt=$1
shift
exec "$build/bin/vitalis" run "$root/examples/models/vitalis-tiny" "$@" -- "$prompt"
