#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the built libraries export and call.

    symbols.py exports SHARED LIST HEADER   exports equal the list and the header's declarations
    symbols.py soname SHARED                the name that programs record
    symbols.py manners STATIC               our objects neither print, nor exit, nor read the
    environment
"""

import re
import subprocess
import sys
from pathlib import Path

# What a guest in someone else's process leaves alone.
RUDE = re.compile(
    r"(abort|exit|_exit|_Exit|quick_exit|atexit|__assert_fail|raise|kill|signal|sigaction|longjmp"
    r"|v?f?printf|v?dprintf|__v?f?printf_chk|puts|putchar|fputs|fputc|fwrite|perror|syslog"
    r"|getenv|secure_getenv|setenv|putenv|setlocale|system|popen|fork|chdir"
    r"|_ZSt4cout|_ZSt4cerr|_ZSt4clog|_ZNSt8ios_base4InitC1Ev)$")
# The one environment variable, read in one place.
ALLOWED = {("engine.cc.o", "getenv")}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def exports(shared, list_file, header):
    found = {line.split()[-1].split("@")[0] for line in
             run("nm", "-D", "--defined-only", shared).splitlines() if " A " not in line}
    listed = set(Path(list_file).read_text(encoding="utf-8").split())
    text = Path(header).read_text(encoding="utf-8")
    declared = set(re.findall(r"^VITALIS_API[^(]*?(\w+)\(", text, re.M))
    for name, one, other in (("exported, not listed", found, listed),
                             ("listed, not exported", listed, found),
                             ("declared, not listed", declared, listed),
                             ("listed, not declared", listed, declared)):
        for symbol in sorted(one - other):
            yield f"{name}: {symbol}"


def soname(shared):
    found = re.search(r"\(SONAME\).*\[(.*)\]", run("readelf", "-d", shared))
    if not found or found[1] != "libvitalis.so.1":
        yield f"SONAME: expected libvitalis.so.1; found {found and found[1]}"


def manners(static):
    member, members, calls = "", 0, 0
    for line in run("nm", "-u", static).splitlines():
        if line.endswith(":"):
            member, members = line[:-1], members + 1
        elif line.strip():
            calls += 1
            symbol = line.split()[-1]
            if RUDE.match(symbol) and (member, symbol) not in ALLOWED:
                yield f"{member} refers to {symbol}"
    if members < 10 or calls < 100:
        yield f"{static}: not read, {members} members and {calls} undefined symbols"


def main():
    checks = {"exports": exports, "soname": soname, "manners": manners}
    problems = list(checks[sys.argv[1]](*sys.argv[2:]))
    print("\n".join(problems) or "as agreed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
