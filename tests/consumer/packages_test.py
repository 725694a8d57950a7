#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""packages_test.py CPACK BUILD SOURCE LIBDIR: the Debian packages of a build hold the files that they should,
depend on what they need, and know nothing of the machine that built them."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CPACK, BUILD, SOURCE, LIBDIR = sys.argv[1:]
PYTHON = sorted(path.name for path in (Path(SOURCE) / "bindings/python/vitalis").iterdir()
                if path.suffix in (".py", ".typed"))
# Paths under /usr; every package has its three documents besides.
FILES = {
    "libvitalis1": [r"LIB/libvitalis\.so\.1", r"LIB/libvitalis\.so\.1\.\d+\.\d+"],
    "libvitalis-dev": [
        r"include/vitalis/vitalis\.h", r"include/vitalis/base\.hpp", r"include/vitalis/text\.hpp",
        r"include/vitalis/vitalis\.hpp", r"include/vitalis/hub\.hpp",
        r"LIB/cmake/Vitalis/VitalisConfig\.cmake", r"LIB/cmake/Vitalis/VitalisConfigVersion\.cmake",
        r"LIB/cmake/Vitalis/VitalisSharedTargets\.cmake",
        r"LIB/cmake/Vitalis/VitalisSharedTargets-\w+\.cmake",
        r"LIB/cmake/Vitalis/VitalisStaticTargets\.cmake",
        r"LIB/cmake/Vitalis/VitalisStaticTargets-\w+\.cmake",
        r"LIB/libvitalis\.a", r"LIB/libvitalis\.so", r"LIB/pkgconfig/vitalis\.pc"],
    "vitalis": [
        r"bin/vitalis", r"share/man/man1/vitalis\.1\.gz",
        r"share/bash-completion/completions/vitalis", r"share/fish/vendor_completions\.d/vitalis\.fish",
        r"share/zsh/(site-functions|vendor-completions)/_vitalis"],
    "python3-vitalis": [rf"lib/python3/dist-packages/vitalis/{re.escape(name)}" for name in PYTHON],
}
DEPENDS = {
    "libvitalis1": {"libc6", "libstdc++6", "libtbb12", "libsimdjson14", "libcurl4",
                    "libssl3", "ca-certificates"},
    "libvitalis-dev": {"libvitalis1", "libtbb-dev", "libsimdjson-dev",
                       "libcurl4-openssl-dev", "libssl-dev"},
    "vitalis": {"libvitalis1", "libc6", "libstdc++6", "libedit2"},
    "python3-vitalis": {"libvitalis1", "python3"},
}


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        done = subprocess.run([CPACK, "-G", "DEB", "-B", cls.folder.name, "--config",
                               f"{BUILD}/CPackConfig.cmake"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        cls.debs = {deb.name.split("_")[0]: deb for deb in Path(cls.folder.name).glob("*.deb")}

    def test_names(self):
        self.assertEqual(set(self.debs), set(FILES))

    def test_files(self):
        for package, deb in self.debs.items():
            listing = output_of("dpkg-deb", "-c", deb).splitlines()
            found = [line.split()[5].removeprefix("./usr/") for line in listing
                     if not line.startswith("d")]
            documents = [rf"share/doc/{package}/{name}"
                         for name in (r"copyright", r"changelog\.gz", r"changelog\.Debian\.gz")]
            expected = [pattern.replace("LIB", re.escape(LIBDIR))
                        for pattern in FILES[package] + documents]
            for pattern in expected:
                self.assertEqual(len([path for path in found if re.fullmatch(pattern, path)]), 1,
                                 f"{package}: {pattern} in {found}")
            self.assertEqual(len(found), len(expected), f"{package}: {found}")
            for line in listing:
                self.assertRegex(line, r"^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root/root ")

    def test_dependencies(self):
        version = output_of("dpkg-deb", "-f", self.debs["libvitalis1"], "Version").strip()
        for package, deb in self.debs.items():
            depends = output_of("dpkg-deb", "-f", deb, "Depends")
            # A later Debian has other libraries, of names that end in other numbers.
            names = {re.sub(r"[\d.]+(t64)?$", "", name.split(":")[0])
                     for name in re.findall(r"(?:^|, )([^ ,\n]+)", depends)}
            self.assertLessEqual({re.sub(r"\d+$", "", name) for name in DEPENDS[package]}, names, package)
            if package == "libvitalis-dev":
                self.assertIn(f"libvitalis1 (= {version})", depends)

    def test_no_path_of_the_build(self):
        for package, deb in self.debs.items():
            root = Path(self.folder.name) / "root" / package
            root.parent.mkdir(exist_ok=True)
            output_of("dpkg-deb", "-R", deb, root)
            for path in root.rglob("*"):
                if path.is_file() and not path.is_symlink():
                    data = path.read_bytes()
                    for place in (SOURCE, BUILD, self.folder.name):
                        self.assertNotIn(place.encode(), data, path.relative_to(root))

    def test_triggers(self):
        self.assertIn("ldconfig", output_of("dpkg-deb", "-I", self.debs["libvitalis1"], "triggers"))
        self.assertRegex(output_of("dpkg-deb", "-I", self.debs["libvitalis1"], "shlibs"),
                         r"^libvitalis 1 libvitalis1 ")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
