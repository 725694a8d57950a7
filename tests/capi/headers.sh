#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# headers.sh INCLUDE COMPILER…: the public headers compile alone and unaided under every standard that
# they promise. C compilers take vitalis.h, C++ compilers (a name with ++) both.
set -eu
include=$1
shift
flags="-fsyntax-only -pedantic-errors -Wall -Wextra -Wshadow -Wconversion -Werror -I$include"
compiled=0

# check COMPILER LANGUAGE STANDARD HEADER [FLAG…]: twice included, it is still fine.
check() {
  compiler=$1 language=$2 standard=$3 header=$4
  shift 4
  printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
    "$compiler" -x "$language" "-std=$standard" $flags "$@" - ||
    { echo "$header fails as $standard with $compiler" >&2; exit 1; }
  compiled=$((compiled + 1))
}

for compiler in "$@"; do
  command -v "$compiler" >/dev/null || { echo "no $compiler here, left out"; continue; }
  case $compiler in
    *++*)
      for standard in c++11 c++14 c++17 c++20; do check "$compiler" c++ $standard vitalis/vitalis.h; done
      for part in base text vitalis hub; do check "$compiler" c++ c++20 vitalis/$part.hpp; done
      check "$compiler" c++ c++20 vitalis/vitalis.hpp -fno-exceptions -fno-rtti
      check "$compiler" c++ c++20 vitalis/hub.hpp -fno-exceptions -fno-rtti
      check "$compiler" c++ c++2b vitalis/vitalis.hpp
      ;;
    *)
      for standard in c99 c11 c17; do
        check "$compiler" c $standard vitalis/vitalis.h -Wstrict-prototypes
      done
      ;;
  esac
done
echo "$compiled compilations"
[ $compiled -gt 0 ]
# The wrapper stays small enough to be read.
[ "$(wc -l < "$include/vitalis/vitalis.hpp")" -lt 600 ]
