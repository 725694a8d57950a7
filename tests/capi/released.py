#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The interface as it was released, in tests/capi/released: its header, and its types and functions as
abidw writes them. Both are made from the header alone: a library of empty functions is compiled with
debugging information, so that what a compiler makes of each declaration is compared, and nothing of
how the real library is built. That the real one has these functions is for symbols.py to say.

    released.py check HEADER FOLDER   HEADER may only add to what FOLDER holds
    released.py freeze HEADER FOLDER  at a release: HEADER becomes what later ones are held to
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# Callers give a struct's size, so one may grow at its end. What abidiff leaves out for this is more
# than growth, so the fields that were there are compared by themselves.
GROWTH = """[suppress_type]
  name_regexp = ^vitalis_
  type_kind = struct
  has_data_member_inserted_at = end
"""


def stubs(header):
    text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
    functions = re.findall(r"^VITALIS_API\s+([^;]*?\))\s*;", text, re.M | re.S)
    if len(functions) != len(re.findall(r"^VITALIS_API", text, re.M)) or not functions:
        sys.exit(f"{header}: not every declaration was understood")
    bodies = "\n".join(f"{function} {{ __builtin_trap(); }}" for function in functions)
    return f"#include <vitalis/vitalis.h>\n{bodies}\n"


def describe(header, folder, out):
    """abidw's description of the header's interface, without paths of this machine."""
    include = folder / out.stem
    (include / "vitalis").mkdir(parents=True)
    shutil.copy(header, include / "vitalis" / "vitalis.h")
    source = folder / (out.stem + ".c")
    source.write_text(stubs(header), encoding="utf-8")
    library = folder / "libvitalis.so.1"
    subprocess.run(["cc", "-std=c99", "-g", "-gdwarf-4", "-shared", "-fPIC", "-nostdlib",
                    "-fvisibility=hidden", "-Wno-unused-parameter",
                    f"-ffile-prefix-map={folder}=.", f"-I{include}", source, "-o", library],
                   check=True)
    subprocess.run(["abidw", "--no-corpus-path", "--no-comp-dir-path", "--out-file", out, library],
                   check=True)


def layout(header, fields, folder):
    """A line for each of the (struct, field): its offset and size as this header has them."""
    include = folder / "layout"
    (include / "vitalis").mkdir(parents=True, exist_ok=True)
    shutil.copy(header, include / "vitalis" / "vitalis.h")
    lines = "".join(f'  printf("{struct}.{field} %zu %zu\\n", offsetof({struct}, {field}), '
                    f"sizeof((({struct}*)0)->{field}));\n" for struct, field in fields)
    source = folder / "layout.c"
    source.write_text("#include <stdio.h>\n#include <vitalis/vitalis.h>\n"
                      f"int main(void) {{\n{lines}  return 0;\n}}\n", encoding="utf-8")
    subprocess.run(["cc", "-std=c99", f"-I{include}", source, "-o", folder / "layout_of"],
                   check=True)
    return subprocess.run([folder / "layout_of"], check=True, capture_output=True,
                          text=True).stdout.splitlines()


def fields_of(header):
    text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.S)
    found = [(struct, declarator.split("[")[0].strip("* \n").split()[-1].strip("*"))
             for struct, body in re.findall(r"^typedef struct (\w+) \{(.*?)^\}", text, re.M | re.S)
             for declaration in body.split(";") if declaration.strip()
             for declarator in declaration.split(",")]
    if len(found) < 50:
        sys.exit(f"{header}: its structs were not understood")
    return found


def moved_fields(header, released, folder):
    then = released / "vitalis" / "vitalis.h"
    fields = fields_of(then)
    for old, new in zip(layout(then, fields, folder), layout(header, fields, folder), strict=True):
        if old != new:
            yield f"offset and size: expected {old}; found {new}"


def check(header, released):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        describe(header, folder, folder / "now.abi")
        suppressions = folder / "growth.ini"
        suppressions.write_text(GROWTH, encoding="utf-8")
        done = subprocess.run(
            ["abidiff", "--suppressions", suppressions, "--no-added-syms",
             released / "libvitalis.abi", folder / "now.abi"],
            capture_output=True, text=True, check=False)
        problems = list(moved_fields(header, released, folder))
    print(done.stdout + done.stderr + "\n".join(problems) or "only additions")
    return 1 if done.returncode or problems else 0


def freeze(header, released):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        describe(header, folder, folder / "libvitalis.abi")
        shutil.copy(folder / "libvitalis.abi", released / "libvitalis.abi")
    (released / "vitalis").mkdir(exist_ok=True)
    shutil.copy(header, released / "vitalis" / "vitalis.h")
    return 0


def main():
    command, header, released = sys.argv[1:]
    return {"check": check, "freeze": freeze}[command](Path(header), Path(released))


if __name__ == "__main__":
    sys.exit(main())
