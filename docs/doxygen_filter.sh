#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Marks a header's comments as documentation, for doxygen. The first comment is about the file; a section's
# title and what stands beside code are told apart by where they stand. What a convention of the header says
# of each struct's size and initialiser, and of each function's twin, is said of each here.
case $1 in
  *.h)
    sed -E -e '1s,^/\* .*,/** @file,' \
      -e 's,^/\* ---- (.*) ---- \*/,,' \
      -e 's,^( *)/\* ,\1/** ,' \
      -e 's,([^ ] +)/\* ,\1/**< ,' \
      -e 's,^  uint32_t struct_size;$,& /**< sizeof the struct; see convention 4 */,' \
      -e 's,^#define (VITALIS_[A-Z_]*)_INIT .*,/** Its struct_size set\, defaults for the rest. */\n&,' "$1"
    ;;
  *)
    sed -E -e '1s,^// .*,/// @file,' \
      -e 's,^ *// (----|NOLINT).*,,' \
      -e 's,^( *)// ?,\1/// ,' \
      -e 's,([^ ] +)// ,\1///< ,' \
      -e 's,^ *(static |inline )?Result<.*> try_.*,/// The twin that returns a Result and throws nothing but std::bad_alloc.\n&,' "$1"
    ;;
esac
