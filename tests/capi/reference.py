#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every public symbol is documented, and says since when it is there.

    reference.py SOURCE OUT DOXYGEN

Doxygen reads the headers by docs/Doxyfile, into OUT, and any warning fails; it has to complain of copies
with something without a comment planted in them. Once there is a release, what tests/capi/released does not
have came later than the header's first version, which needs no mention, so its comment has to say "Since".
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from released import fields_of

# What is planted: the header, a line of it, and what comes before that line.
PLANTS = {
    "a function": ("vitalis.h", "/* The library's version,", "VITALIS_API int32_t vitalis_planted(void);\n"),
    "a field": ("vitalis.h", "  int32_t threads;  /* that work", "  int32_t planted;\n"),
    "a macro": ("vitalis.h", "#define VITALIS_ENCODE_SPECIAL", "#define VITALIS_PLANTED 1\n"),
    "a struct": ("vitalis.h", "/* The library's version,",
                 "typedef struct vitalis_planted {\n  int32_t field; /* documented */\n} vitalis_planted;\n"),
    "a handle": ("vitalis.h", "/* The library's version,", "typedef struct vitalis_planted vitalis_planted;\n"),
    "a method": ("vitalis.hpp", "  // Forgets all tokens;", "  void planted() {}\n\n"),
    "an option": ("text.hpp", "  bool special = false;", "  bool planted = false;\n"),
}


def doxygen(program, source, out):
    """The warnings."""
    settings = (source / "docs" / "Doxyfile").read_text(encoding="utf-8")
    done = subprocess.run([program, "-"], input=f"{settings}\nOUTPUT_DIRECTORY = {out}\n", cwd=source,
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def copy_of(source, folder):
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source / "include", folder / "include")
    (folder / "docs").mkdir()
    for name in ("Doxyfile", "doxygen_filter.sh"):
        shutil.copy(source / "docs" / name, folder / "docs")
    return folder


def plant(folder, header, place, text):
    path = folder / "include" / "vitalis" / header
    content = path.read_text(encoding="utf-8")
    if content.count(place) != 1:
        sys.exit(f"{path}: expected {place!r} once")
    path.write_text(content.replace(place, text + place), encoding="utf-8")


def declared(text):
    """Functions, structs and macros, each with the comments around its declaration."""
    code = r"(?P<before>(?:/\*(?:(?!\*/).)*\*/\s*)?)"
    found = {}
    for pattern in (code + r"^VITALIS_API[^;(]*?(?P<name>vitalis_\w+)\([^;]*;",
                    code + r"^typedef struct (?P<name>vitalis_\w+) ",
                    code + r"^#define (?P<name>VITALIS_\w+)(?P<beside>[^\n]*)"):
        for match in re.finditer(pattern, text, re.M | re.S):
            found.setdefault(match["name"], match["before"] + (match.groupdict().get("beside") or ""))
    return found


def without_since(header, released):
    text = header.read_text(encoding="utf-8")
    then = declared(released.read_text(encoding="utf-8"))
    for name, comment in declared(text).items():
        if name not in then and not re.search(r"\bSince \d+\.\d+", comment):
            yield f"{name}: is later than {released}, and its comment has no \"Since\""
    old_fields = set(fields_of(released))
    for struct, field in fields_of(header):
        if struct not in then or (struct, field) in old_fields:
            continue
        body = re.search(rf"^typedef struct {struct} {{(.*?)^}}", text, re.M | re.S)[1]
        around = re.search(rf"((?:/\*(?:(?!\*/).)*\*/\s*)?)[^\n]*\b{field}(?:\[\d+\])?;[^\n]*", body, re.S)
        if not re.search(r"\bSince \d+\.\d+", around[0]):
            yield f"{struct}.{field}: is later than {released}, and its comment has no \"Since\""


def main():
    source, out, program = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    out.mkdir(parents=True, exist_ok=True)
    header = source / "include" / "vitalis" / "vitalis.h"
    released = source / "tests" / "capi" / "released" / "vitalis" / "vitalis.h"
    code, warnings = doxygen(program, source, out / "reference")
    problems = []
    if "is there since 1.0 of this interface" not in header.read_text(encoding="utf-8"):
        problems.append(f"{header}: the convention on versions is gone")
    if re.search(r"^## \[\d", (source / "CHANGELOG.md").read_text(encoding="utf-8"), re.M):
        problems += without_since(header, released)
    if code or warnings:
        problems.append(f"doxygen: {warnings}")

    for what, (name, place, text) in PLANTS.items():
        folder = copy_of(source, out / "planted")
        plant(folder, name, place, text)
        code, warnings = doxygen(program, folder, out / "planted-reference")
        if code == 0 or "planted" not in warnings:
            problems.append(f"{what} without a comment was not noticed: {warnings}")
    for since, expected in (("", 1), ("Since 9.1.", 0)):
        folder = copy_of(source, out / "planted")
        plant(folder, "vitalis.h", "/* The library's version,",
              f"/* Does a thing. {since} */\nVITALIS_API int32_t vitalis_planted(void);\n")
        told = [p for p in without_since(folder / "include" / "vitalis" / "vitalis.h", released)
                if p.startswith("vitalis_planted")]
        if len(told) != expected:
            problems.append(f"a function with {since!r}: {told}")

    print("\n".join(problems) or f"{len(declared(header.read_text(encoding='utf-8')))} functions, structs and "
          f"macros of vitalis.h; {len(PLANTS)} without comments were noticed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
