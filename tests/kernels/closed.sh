#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# closed.sh COMPILER INCLUDE_DIR FILE FLAGS...
# Compiles an ISA file at -O0 and -O3 and fails unless its object is closed: it defines one external
# symbol, the table; it has no weak symbol (the linker might take that copy, with its instructions,
# for the whole program); it runs nothing before main; it needs nothing but memory functions.
set -eu
compiler=$1 include=$2 file=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "$file at $level: $1" >&2
  failed=1
}
for level in -O0 -O3; do
  object=$work/isa$level.o
  "$compiler" -std=c++20 "$level" -fPIC -ffp-contract=off -fno-math-errno -I"$include" "$@" \
    -c "$file" -o "$object"
  nm "$object" >"$work/symbols"
  # nm prints "address letter name", or "letter name" for what is not defined here.
  external=$(awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' "$work/symbols")
  case $external in
    *[![:alnum:]_]*) fail "more than one external symbol: $(echo "$external" | tr '\n' ' ')" ;;
    *5tableE) ;;
    *) fail "the external symbol is not the table: $external" ;;
  esac
  weak=$(awk '$(NF - 1) ~ /^[WwVvu]$/ { print $NF }' "$work/symbols")
  [ -z "$weak" ] || fail "weak symbols: $weak"
  needed=$(awk 'NF == 2 && $1 == "U" { print $2 }' "$work/symbols" |
    grep -Ev '^(memcpy|memset|memmove|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$' || true)
  [ -z "$needed" ] || fail "needs $needed"
  if readelf -SW "$object" | grep -Eq '\.(init_array|ctors|preinit_array)'; then
    fail "has static initialisers"
  fi
done
exit $failed
