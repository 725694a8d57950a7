# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/python.md do what they say, with the demonstration model in the place of
gpt-oss-20b."""

import contextlib
import io
import os
import re
import tempfile
import unittest

import vitalis
from tiny import PATH, SOURCE, TinyTest


class Docs(TinyTest):
    def test_examples(self):
        with open(os.path.join(SOURCE, "docs", "python.md"), encoding="utf-8") as file:
            text = file.read()
        blocks = [(text[:match.start()].count("\n") + 2, match[1])
                  for match in re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S)]
        self.assertGreaterEqual(len(blocks), 6)
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(PATH, os.path.join(folder, "gpt-oss-20b"))
            os.chdir(folder)
            for line, block in blocks:
                with self.subTest(f"docs/python.md:{line}"):
                    # As many lines before it as in the page, so that a traceback points there.
                    code = compile("\n" * (line - 1) + block, "docs/python.md", "exec")
                    with contextlib.redirect_stdout(io.StringIO()):
                        exec(code, {"vitalis": vitalis, "model": self.model})
            os.chdir(here)


if __name__ == "__main__":
    unittest.main()
