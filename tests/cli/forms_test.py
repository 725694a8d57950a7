# SPDX-License-Identifier: Apache-2.0
"""The demonstration model in every published form (VITALIS_WRITE_FORMS makes them): described, run and
planned alike."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from program import MODEL, Program

QUESTION = ("What is the capital of France?", "--temperature", "0", "--date", "", "--show-reasoning")
FORMS = {
    "bf16.gguf": "GGUF",
    "f32.gguf": "GGUF",
    "f16.gguf": "GGUF",
    "q8_0.gguf": "GGUF",
    "parts-00001-of-00003.gguf": "GGUF",
    "ollama.gguf": "GGUF, early Ollama",
    "metal/model.bin": "Metal",
    "original": "safetensors, OpenAI names",
}


class Forms(Program):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        subprocess.run([os.environ["VITALIS_WRITE_FORMS"], MODEL, cls.folder.name], check=True)

    def forms(self):
        for name, form in FORMS.items():
            with self.subTest(name):
                yield str(Path(self.folder.name) / name), form

    def test_info(self):
        expected = json.loads(self.succeeds("info", MODEL, "--json"))
        for path, form in self.forms():
            found = json.loads(self.succeeds("info", path, "--json"))
            self.assertEqual(found["format"], form)
            self.assertEqual(found["architecture"], expected["architecture"])

    def test_run(self):
        expected = self.succeeds("run", MODEL, *QUESTION)
        self.assertIn("Paris", expected)
        for path, _ in self.forms():
            self.assertEqual(self.succeeds("run", path, *QUESTION), expected)

    def test_plan(self):
        for path, _ in self.forms():
            found = json.loads(self.succeeds("plan", path, "--json", "--no-probe"))
            self.assertLess(found["hot_bytes"], found["mapped_bytes"])

    def test_tokenize_needs_no_weights(self):
        expected = self.succeeds("tokenize", MODEL, "the sea, 1969")
        for path, _ in self.forms():
            self.assertEqual(self.succeeds("tokenize", path, "the sea, 1969"), expected)


if __name__ == "__main__":
    unittest.main()
