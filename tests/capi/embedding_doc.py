# SPDX-License-Identifier: Apache-2.0
"""embedding_doc.py SOURCE WORK LIBRARY COMPILER: the C++ examples of docs/embedding.md, each a
function of one program, compile and run, with the demonstration model in the place of
gpt-oss-20b."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HEAD = """\
#undef NDEBUG
#include <cassert>
#include <iostream>
#include <vitalis/vitalis.hpp>
"""


def program(page):
    """Compiler errors and failed assertions name the line of the page."""
    text = page.read_text(encoding="utf-8")
    code, names = HEAD, []
    for match in re.finditer(r"^```cpp\n(.*?)^```$", text, re.M | re.S):
        line = text[:match.start()].count("\n") + 2
        names.append(f"example_{line}")
        code += f'static void {names[-1]}() {{\n#line {line} "{page}"\n{match[1]}}}\n'
    if len(names) < 3:
        sys.exit(f"{page} has {len(names)} examples of C++")
    calls = "".join(f"  {name}();\n" for name in names)
    return f"{code}int main() {{\n{calls}}}\n"


def main(source, work, library, *compiler):
    source, work, library = Path(source), Path(work), Path(library)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "doc.cc").write_text(program(source / "docs" / "embedding.md"), encoding="utf-8")
    subprocess.run([*compiler, "-std=c++20", "-Wall", "-Wextra", "-Wno-unused-variable", "-Werror",
                    f"-I{source / 'include'}", work / "doc.cc", library,
                    f"-Wl,-rpath,{library.parent}", "-pthread", "-o", work / "doc"], check=True)
    os.symlink(source / "examples" / "models" / "vitalis-tiny", work / "gpt-oss-20b")
    output = subprocess.run([work / "doc"], cwd=work, check=True, capture_output=True, text=True)
    if output.stdout.count("Paris") < 2:
        sys.exit(f"no answers in: {output.stdout}")


if __name__ == "__main__":
    main(*sys.argv[1:])
