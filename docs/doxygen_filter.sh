#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Marks a header's comments as documentation, for doxygen. The first comment is about the file; a section's
# title and what stands beside code are told apart by where they stand.
case $1 in
  *.h)
    sed -E -e '1s,^/\* .*,/** @file,' \
      -e 's,^/\* ---- (.*) ---- \*/,,' \
      -e 's,^( *)/\* ,\1/** ,' \
      -e 's,([^ ] +)/\* ,\1/**< ,' "$1"
    ;;
  *)
    sed -E -e '1s,^// .*,/// @file,' \
      -e 's,^ *// (----|NOLINT).*,,' \
      -e 's,^( *)// ?,\1/// ,' \
      -e 's,([^ ] +)// ,\1///< ,' "$1"
    ;;
esac
