#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pkg_config.sh PREFIX WORK SOURCE LIBDIR: what pkg-config says in the tree at PREFIX; build, ask.
set -eu
prefix=$1 work=$2/pkg-config source=$3 libdir=$1/$4
rm -rf "$work"
mkdir -p "$work"
PKG_CONFIG_PATH=$libdir/pkgconfig
export PKG_CONFIG_PATH
cflags=$(pkg-config --cflags vitalis)
libs=$(pkg-config --libs vitalis)
static_libs=$(pkg-config --static --libs vitalis | sed 's/-lvitalis/-l:libvitalis.a/')
# Unquoted on purpose: lists of flags.
"$CC" -std=c99 -pedantic -Wall -Wextra -Werror $cflags "$source/examples/c/chat.c" \
  -o "$work/c_shared" $libs -Wl,-rpath,"$libdir"
"$CC" -std=c99 $cflags "$source/examples/c/chat.c" -o "$work/c_static" $static_libs
"$CXX" -std=c++20 -pedantic -Wall -Wextra -Werror $cflags "$source/examples/cpp/chat.cc" \
  -o "$work/cpp_shared" $libs -Wl,-rpath,"$libdir"
for program in c_shared c_static cpp_shared; do
  "$source/tests/consumer/ask.sh" "$source" "$work/$program"
done
