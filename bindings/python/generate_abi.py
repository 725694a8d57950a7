#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes vitalis/_abi.py from include/vitalis/vitalis.h: constants, struct layouts, signatures.

The header keeps to a small part of C: #define of numbers, opaque structs, flat structs of scalars,
pointers, arrays and earlier structs, and prototypes marked VITALIS_API. Anything else is an error
here, never a guess. Layouts are computed by the rules of the 64-bit ABIs (every member at a
multiple of its own alignment), and the package compares them with those of ctypes when it is
imported.

    generate_abi.py [--check] [--header FILE] [--output FILE]
"""

import argparse
import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = HERE.parent.parent / "include" / "vitalis" / "vitalis.h"
OUTPUT = HERE / "vitalis" / "_abi.py"

# C type: (ctypes name, size and alignment).
SCALARS = {
    "char": ("c_char", 1),
    "int32_t": ("c_int32", 4),
    "uint32_t": ("c_uint32", 4),
    "uint64_t": ("c_uint64", 8),
    "size_t": ("c_size_t", 8),
    "float": ("c_float", 4),
    "double": ("c_double", 8),
}
POINTER_SIZE = 8


class HeaderError(Exception):
    pass


class Header:
    """What the header declares, in its order."""

    def __init__(self, text):
        text = re.sub(r"\\\n", " ", text)
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        self.constants = {}
        self.structs = {}  # name: [(field, ctypes expression, size, alignment)]
        self.opaque = []
        self.functions = {}
        code = []
        skipping = 0  # depth inside #if: no declaration may depend on one
        for line in text.splitlines():
            if not line.lstrip().startswith("#"):
                if not (skipping and line.strip() in ('extern "C" {', "}")):
                    code.append(line)
                continue
            directive = line.strip()[1:].strip()
            if re.match(r"if(n?def)?\b", directive) and "VITALIS_VITALIS_H" not in directive:
                skipping += 1
            elif re.match(r"endif\b", directive) and skipping:
                skipping -= 1
            elif re.match(r"define\b", directive):
                self.constant(directive)
        self.declarations("\n".join(code))

    def constant(self, directive):
        match = re.match(r"define\s+(VITALIS_\w+)\s*(.*)$", directive)
        if not match:
            raise HeaderError(f"not understood: #{directive}")
        name, value = match[1], match[2].strip()
        if name in ("VITALIS_API", "VITALIS_VITALIS_H") or name.endswith("_INIT"):
            return
        if value == "SIZE_MAX":
            self.constants[name] = "2**64 - 1"
        elif re.fullmatch(r"\(?-?\d+\)?u?", value):
            self.constants[name] = value.strip("()").rstrip("u")
        else:
            raise HeaderError(f"{name} is not a number: {value}")

    def declarations(self, code):
        pattern = re.compile(
            r"typedef\s+struct\s+(?P<opaque>\w+)\s+(?P<opaque_alias>\w+)\s*;"
            r"|typedef\s+struct\s+(?P<struct>\w+)\s*\{(?P<body>[^}]*)\}\s*(?P<alias>\w+)\s*;"
            r"|VITALIS_API\s+(?P<result>[\w\s*]+?)(?P<function>\w+)\s*\((?P<parameters>[^)]*)\)\s*;"
            r"|\s+"
        )
        position = 0
        while position < len(code):
            match = pattern.match(code, position)
            if not match:
                rest = " ".join(code[position:position + 80].split())
                raise HeaderError(f"not understood: {rest}")
            position = match.end()
            if match["opaque"]:
                self.opaque.append(match["opaque"])
            elif match["struct"]:
                fields = self.fields(match["body"])
                if match["struct"] == "vitalis_text":  # sized: c_char_p would stop at a NUL
                    fields = [(fields[0][0], "c_void_p", *fields[0][2:]), *fields[1:]]
                self.structs[match["struct"]] = fields
            elif match["function"]:
                self.functions[match["function"]] = self.signature(match)

    def fields(self, body):
        fields = []
        for declaration in filter(None, (part.strip() for part in body.split(";"))):
            match = re.fullmatch(r"(.+?)(\w+)(?:\[(\d+)\])?", " ".join(declaration.split()))
            if not match:
                raise HeaderError(f"not a field: {declaration}")
            expression, size, alignment = self.layout(match[1])
            if match[3]:
                expression, size = f"{expression} * {match[3]}", size * int(match[3])
            fields.append((match[2], expression, size, alignment))
        return fields

    def layout(self, c_type):
        words = c_type.replace("*", " * ").replace("const", " ").split()
        if words == ["char", "*"]:
            return "c_char_p", POINTER_SIZE, POINTER_SIZE
        if words[-1] == "*":
            return "c_void_p", POINTER_SIZE, POINTER_SIZE
        if len(words) == 1 and words[0] in SCALARS:
            name, size = SCALARS[words[0]]
            return name, size, size
        if len(words) == 1 and words[0] in self.structs:
            total, alignment, _ = struct_layout(self.structs[words[0]])
            return class_name(words[0]), total, alignment
        raise HeaderError(f"unknown type: {c_type}")

    def signature(self, match):
        parameters = " ".join(match["parameters"].split())
        arguments = []
        if parameters != "void":
            for parameter in parameters.split(","):
                arguments.append(self.passed(re.sub(r"\w+$", "", parameter.strip())))
        result = " ".join(match["result"].split())
        return ("None" if result == "void" else self.passed(result)), arguments

    def passed(self, c_type):
        """The ctypes type of a parameter or result. Handles are c_void_p; text that goes in with
        its size is c_char_p, which takes bytes as they are."""
        words = c_type.replace("*", " * ").replace("const", " ").split()
        base, stars = words[0], words[1:]
        if any(star != "*" for star in stars) or len(stars) > 2:
            raise HeaderError(f"unknown type: {c_type}")
        if not stars:
            return self.layout(base)[0]
        if base in self.opaque:
            return "c_void_p" if len(stars) == 1 else "POINTER(c_void_p)"
        if len(stars) == 1 and base == "char":
            return "c_char_p"
        if len(stars) == 1 and base in SCALARS:
            return f"POINTER({SCALARS[base][0]})"
        if len(stars) == 1 and base in self.structs:
            return f"POINTER({class_name(base)})"
        raise HeaderError(f"unknown type: {c_type}")


def struct_layout(fields):
    """(size, alignment, offsets)."""
    end, widest, offsets = 0, 1, []
    for _, _, size, alignment in fields:
        end = -(-end // alignment) * alignment
        offsets.append(end)
        end += size
        widest = max(widest, alignment)
    return -(-end // widest) * widest, widest, offsets


def class_name(c_name):
    return "".join(word.capitalize() for word in c_name.replace("vitalis_", "", 1).split("_"))


def wrapped(line):
    return textwrap.wrap(line, 99, subsequent_indent=" " * 8)


def render(header):
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        '"""The C interface, as ctypes sees it.',
        "",
        "Written by bindings/python/generate_abi.py from vitalis.h; not to be edited.",
        '"""',
        "",
        "from ctypes import (POINTER, Structure, c_char_p, c_double, c_float, c_int32, c_size_t,",
        "                    c_uint32, c_uint64, c_void_p)",
        "",
    ]
    lines += [f"{name[8:]} = {value}" for name, value in header.constants.items()]
    for name, fields in header.structs.items():
        lines += ["", "", f"class {class_name(name)}(Structure):", "    _fields_ = ["]
        lines += [f'        ("{field}", {expression}),' for field, expression, _, _ in fields]
        lines += ["    ]"]
    lines += ["", "", "# Struct: (size, the offset of each field).", "LAYOUTS = {"]
    for name, fields in header.structs.items():
        size, _, offsets = struct_layout(fields)
        items = ", ".join(f'"{field[0]}": {offset}' for field, offset in zip(fields, offsets))
        lines += wrapped(f"    {class_name(name)}: ({size}, {{{items}}}),")
    lines += ["}", "", "# Function: (result, arguments).", "FUNCTIONS = {"]
    for name, (result, arguments) in header.functions.items():
        lines += wrapped(f'    "{name}": ({result}, [{", ".join(arguments)}]),')
    lines += ["}"]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--header", type=Path, default=HEADER)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--check", action="store_true", help="compare, and fail if they differ")
    arguments = parser.parse_args()
    try:
        text = render(Header(arguments.header.read_text(encoding="utf-8")))
    except HeaderError as error:
        sys.exit(f"{arguments.header}: {error}")
    if not arguments.check:
        arguments.output.write_text(text, encoding="utf-8")
    elif not arguments.output.exists() or arguments.output.read_text(encoding="utf-8") != text:
        sys.exit(f"{arguments.output} is not what {arguments.header} says; run {sys.argv[0]}")


if __name__ == "__main__":
    main()
