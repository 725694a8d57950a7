#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the sources to the layers: who may include whom, where third-party headers may appear, and
what the files with instructions of their own may include.

    layers.py [ROOT]        check the tree; every breach is told, and the exit status is 1
    layers.py --self-test   check the checker
"""

import re
import sys
from pathlib import Path

# Folder of lib/: the folders whose headers it may include besides its own. Siblings are absent.
LAYERS = {
    "base": [],
    "cpu": ["base"],
    "formats": ["base"],
    "kernels": ["base", "cpu", "formats"],
    "model": ["base", "cpu", "formats"],
    "tokenizer": ["base", "cpu", "formats"],
    "hub": ["base", "cpu", "formats"],
    "engine": ["base", "cpu", "formats", "kernels", "model"],
    "harmony": ["base", "cpu", "formats", "tokenizer"],
    "quantize": ["base", "cpu", "formats", "model", "hub"],
    "session": ["base", "cpu", "formats", "kernels", "model", "tokenizer", "hub", "engine",
                "harmony", "quantize"],
}

# Third-party headers: the places where they may be included.
THIRD_PARTY = [
    (r"tbb/|oneapi/", r"lib/engine/parallel\.(h|cc)"),
    (r"Eigen/", r"lib/kernels/portable/|lib/engine/sampler\.|lib/model/"),
    (r"simdjson", r"lib/(formats|model|tokenizer|harmony)/|examples/cli/json_reader\."),
    (r"openssl/|curl/", r"lib/hub/"),
    (r"CLI/|toml\+\+|httplib|histedit|editline|readline", r"examples/"),
]

# Files built with instructions that not every CPU has: an inline function of anyone else's,
# compiled here, could be the copy that the linker keeps for all.
ISA_FILES = r"lib/kernels/(x86|arm)/.*|lib/kernels/.*-inl\.h"
ISA_INCLUDES = (r"stddef\.h|stdint\.h|\w*intrin\.h|arm_\w+\.h"
                r"|kernels/table\.h|kernels/((x86|arm)/)?[\w-]+(-inl)?\.h")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
SOURCES = {".h", ".hpp", ".c", ".cc"}


def breaches(path, text):
    """What the file at `path`, relative to the root, does that it may not."""
    if not re.match(r"(// |/\* )SPDX-License-Identifier: Apache-2\.0", text):
        yield "does not begin with its licence"
    for header in INCLUDE.findall(text):
        folder = header.split("/")[0]
        is_ours = folder in LAYERS and "/" in header
        if path.startswith("lib/"):
            own = path.split("/")[1]
            if own not in LAYERS:
                yield f"lies in a folder that is no layer: {own}"
                return
            if is_ours and folder != own and folder not in LAYERS[own]:
                yield f"includes {header}: {own} is not above {folder}"
            if header.startswith("vitalis/"):
                yield f"includes {header}: the public headers are for what is above capi"
        elif is_ours and re.match(r"(include|bindings|examples)/", path):
            yield f"includes {header}: only the public headers are for it"
        for pattern, places in THIRD_PARTY:
            if re.match(pattern, header) and not re.match(places + r"|(tests|bench)/", path):
                yield f"includes {header}, which has another place"
        if re.fullmatch(ISA_FILES, path) and not re.fullmatch(ISA_INCLUDES, header):
            yield f"includes {header}: files with instructions of their own are closed"


def self_test():
    head = "// SPDX-License-Identifier: Apache-2.0\n"
    good = [
        ("lib/engine/forward.cc", '#include "kernels/table.h"'),
        ("lib/kernels/x86/avx2.cc", '#include <immintrin.h>\n#include "kernels/x86/rows-inl.h"'),
        ("examples/c/chat.c", "#include <vitalis/vitalis.h>"),
        ("tests/engine/numerics_test.cc", '#include "session/session.h"'),
    ]
    bad = [
        ("lib/engine/forward.cc", '#include "tokenizer/tokenizer.h"'),
        ("lib/base/status.cc", '#include "session/session.h"'),
        ("lib/kernels/x86/avx2.cc", "#include <algorithm>"),
        ("lib/kernels/x86/avx2.cc", '#include "base/status.h"'),
        ("lib/engine/engine.cc", "#include <tbb/task_arena.h>"),
        ("lib/model/config.cc", "#include <vitalis/vitalis.h>"),
        ("examples/cli/main.cc", '#include "engine/engine.h"'),
        ("lib/other/a.cc", '#include "base/status.h"'),
    ]
    for path, text in good:
        assert not list(breaches(path, head + text)), (path, text)
    for path, text in bad:
        assert list(breaches(path, head + text)), (path, text)
    assert list(breaches("lib/base/a.cc", "int a;"))


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    count = files = 0
    for folder in ("include", "lib", "capi", "bindings", "examples", "tests", "bench"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SOURCES:
                continue
            files += 1
            path = file.relative_to(root).as_posix()
            for breach in breaches(path, file.read_text(encoding="utf-8")):
                print(f"{path}: {breach}")
                count += 1
    if files == 0:
        print(f"{root}: no sources")
    return 1 if count or not files else 0


if __name__ == "__main__":
    sys.exit(main())
