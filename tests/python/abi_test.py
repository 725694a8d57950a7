# SPDX-License-Identifier: Apache-2.0
"""The layouts are checked, and the library that is found is the one that was meant."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import vitalis
from vitalis import _abi, _native


def import_with(**environment):
    return subprocess.run([sys.executable, "-c", "import vitalis"], capture_output=True, text=True,
                          env={**os.environ, **environment}, check=False)


class Abi(unittest.TestCase):
    def test_every_function_is_declared(self):
        for name, (result, arguments) in _abi.FUNCTIONS.items():
            function = getattr(_native.lib, name)
            self.assertEqual(function.restype, result)
            self.assertEqual(list(function.argtypes), arguments)

    def test_the_library_agrees_about_sizes(self):
        # It refuses a struct_size that is no multiple of the alignment, and fills what it is given.
        for struct, init in ((_abi.EngineOptions, "engine_options"), (_abi.System, "system"),
                             (_abi.Message, "message"), (_abi.SessionOptions, "session_options"),
                             (_abi.GenerateOptions, "generate_options")):
            value = struct()
            getattr(_native.lib, f"vitalis_{init}_init")(value, _abi.LAYOUTS[struct][0])
            self.assertEqual(value.struct_size, _abi.LAYOUTS[struct][0])

    def test_a_struct_that_is_laid_out_otherwise_is_refused(self):
        size, offsets = _abi.LAYOUTS[_abi.Event]
        for wrong in ((size + 8, offsets), (size, {**offsets, "done": 12})):
            _abi.LAYOUTS[_abi.Event] = wrong
            try:
                with self.assertRaises(ImportError):
                    _native._check_layouts()
            finally:
                _abi.LAYOUTS[_abi.Event] = (size, offsets)

    def test_a_library_that_is_not_there_or_not_ours(self):
        missing = import_with(VITALIS_LIBRARY="/no/such/libvitalis.so")
        self.assertNotEqual(missing.returncode, 0)
        self.assertIn("/no/such/libvitalis.so", missing.stderr)
        other = import_with(VITALIS_LIBRARY="libm.so.6")
        self.assertIn("ImportError", other.stderr)
        self.assertIn("vitalis_abi_version", other.stderr)
        with tempfile.NamedTemporaryFile(suffix=".so") as empty:
            self.assertNotEqual(import_with(VITALIS_LIBRARY=empty.name).returncode, 0)

    def test_everything_has_a_face(self):
        # But for what ctypes or Handle do themselves, and for the words of a status, which are types.
        folder = os.path.dirname(vitalis.__file__)
        code = ""
        for name in os.listdir(folder):
            if name.endswith(".py") and name != "_abi.py":
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    code += file.read()
        unused = [name for name in _abi.FUNCTIONS
                  if not re.search(rf"\b{name}\b", code) and not re.search("_(init|retain)$", name)]
        self.assertEqual(unused, ["vitalis_status_name"])

    def test_version(self):
        self.assertRegex(vitalis.__version__, r"^\d+\.\d+\.\d+$")

    def test_everything_public_is_there(self):
        for name in vitalis.__all__:
            self.assertTrue(hasattr(vitalis, name), name)


if __name__ == "__main__":
    unittest.main()
