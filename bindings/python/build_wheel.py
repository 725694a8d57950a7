#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a wheel with the library inside, by the standard library alone.

    build_wheel.py [--library FILE] [--output FOLDER]      prints the wheel's path

What the library needs besides the C and C++ runtimes (oneTBB, simdjson) goes in too. The tag is
py3-none-manylinux_X_Y_MACHINE (PEP 600): any Python 3.9, and glibc X.Y or later, the least that has
what these libraries ask of it. The same input gives the same bytes.
"""

import argparse
import base64
import ctypes
import hashlib
import platform
import re
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LIBRARY = ROOT / "build" / "release" / "capi" / "libvitalis.so.1"
# Every system that runs the wheel has these.
RUNTIMES = re.compile(r"(libc|libm|libdl|librt|libpthread|libstdc\+\+|libgcc_s)\.so|linux-vdso|ld-linux")

METADATA = """\
Metadata-Version: 2.1
Name: vitalis
Version: {version}
Summary: Embeddable inference for OpenAI's gpt-oss models on CPUs
License: Apache-2.0
Requires-Python: >=3.9
Description-Content-Type: text/markdown

{description}
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: vitalis build_wheel.py
Root-Is-Purelib: false
Tag: {tag}
"""


def needed(library):
    """The other libraries that go into the wheel: (name, path)."""
    listing = subprocess.run(["ldd", str(library)], check=True, capture_output=True, text=True).stdout
    for name, path in re.findall(r"^\s*(\S+) => (\S+)", listing, re.M):
        if path == "not":
            sys.exit(f"{library} needs {name}, which is not found")
        if not RUNTIMES.match(name):
            yield name, Path(path).resolve()


def licence(path):
    """The licence of a distribution's library, where Debian keeps it."""
    found = subprocess.run(["dpkg", "-S", str(path)], capture_output=True, text=True, check=False)
    if found.returncode == 0:
        copyright_file = Path("/usr/share/doc") / found.stdout.split(":")[0] / "copyright"
        if copyright_file.exists():
            return copyright_file.read_bytes()
    return None


# The C++ runtimes' versions (GLIBCXX_3.4.N), and the glibc of the oldest mainstream distribution that
# ships them: Debian 10, 11, 12 and Ubuntu 22.04 have 3.4.25, 28, 30 and 30.
CXX_RUNTIMES = ((25, (2, 28)), (28, (2, 31)), (30, (2, 35)), (32, (2, 38)), (33, (2, 39)))


def oldest_glibc(libraries):
    """(X, Y) of the oldest glibc whose systems have the symbols that the libraries ask for."""
    needs = [(2, 17)]
    for library in libraries:
        symbols = subprocess.run(["objdump", "-T", str(library)], check=True, capture_output=True,
                                 text=True).stdout
        needs += [(int(x), int(y)) for x, y in re.findall(r"\bGLIBC_(\d+)\.(\d+)", symbols)]
        for minor in map(int, re.findall(r"\bGLIBCXX_3\.4\.(\d+)", symbols)):
            fitting = [glibc for newest, glibc in CXX_RUNTIMES if minor <= newest]
            if not fitting:
                sys.exit(f"{library} asks for GLIBCXX_3.4.{minor}, which CXX_RUNTIMES does not know")
            needs.append(fitting[0])
    return max(needs)


def contents(library, version, tag):
    """What the wheel holds: path to bytes."""
    info = f"vitalis-{version}.dist-info"
    files = {f"vitalis/{path.name}": path.read_bytes()
             for path in sorted((HERE / "vitalis").iterdir())
             if path.suffix == ".py" or path.name == "py.typed"}
    files["vitalis/libvitalis.so.1"] = library.read_bytes()
    for name, path in needed(library):
        files[f"vitalis/{name}"] = path.read_bytes()
        terms = licence(path)
        if terms is not None:
            files[f"{info}/licenses/{name}.txt"] = terms
    files[f"{info}/licenses/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    description = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    files[f"{info}/METADATA"] = METADATA.format(
        version=version, description=description).encode("utf-8")
    files[f"{info}/WHEEL"] = WHEEL.format(tag=tag).encode("utf-8")
    record = "".join(f"{path},sha256={digest(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode("utf-8")
    return files


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode("ascii")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--library", type=Path, default=LIBRARY)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "dist")
    arguments = parser.parse_args()
    library = arguments.library.resolve()
    version_string = ctypes.CDLL(str(library)).vitalis_version_string
    version_string.restype = ctypes.c_char_p
    version = version_string().decode("ascii")
    glibc = oldest_glibc([library, *(path for _, path in needed(library))])
    tag = f"py3-none-manylinux_{glibc[0]}_{glibc[1]}_{platform.machine()}"
    arguments.output.mkdir(parents=True, exist_ok=True)
    wheel = arguments.output / f"vitalis-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in contents(library, version, tag).items():
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    print(wheel)


if __name__ == "__main__":
    main()
