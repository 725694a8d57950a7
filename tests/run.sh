#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds everything with warnings as errors, and runs all tests.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh
# shellcheck disable=SC2086 # lists of words
install_missing $build_packages $test_packages
sh tests/fetch_data.sh
cmake --preset release -DVITALIS_TESTS=ON -DVITALIS_EXAMPLES=ON -DVITALIS_BENCH=ON -DVITALIS_WERROR=ON
cmake --build --preset release
ctest --preset release --parallel "$(nproc)"
