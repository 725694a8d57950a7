# SPDX-License-Identifier: Apache-2.0
"""vitalis verify: whole files, damaged ones, and releases that are not known."""

import hashlib
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from program import MODEL, Program

FILES = ("config.json", "model.safetensors", "tokenizer.json")


class Verify(Program):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        for name in FILES:
            shutil.copy(Path(MODEL) / name, self.folder / name)
        entries = [{"path": name, "size": (self.folder / name).stat().st_size,
                    "sha256": hashlib.sha256((self.folder / name).read_bytes()).hexdigest()}
                   for name in FILES]
        self.manifest = self.folder / "manifest.json"
        self.manifest.write_text(json.dumps(
            {"schema": 1, "repo": "here/tiny", "commit": "ab" * 20, "files": entries}))

    def flip(self, name):
        path = self.folder / name
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)

    def test_unknown(self):
        text = self.succeeds("verify", str(self.folder))
        self.assertIn("the structure is whole", text)
        found = json.loads(self.succeeds("verify", str(self.folder), "--json"))
        self.assertEqual((found["whole"], found["release"], found["files"]), (True, None, []))

    def test_whole(self):
        text = self.succeeds("verify", str(self.folder), "--manifest", str(self.manifest))
        self.assertRegex(text, r"^3 files, 11\.5 MB, are those of here/tiny at abababa\n$")

    def test_damaged(self):
        self.flip("model.safetensors")
        message = self.fails(1, "verify", str(self.folder), "--manifest", str(self.manifest))
        self.assertIn("model.safetensors: expected ", message)
        done = self.start("verify", str(self.folder), "--manifest", str(self.manifest), "--json")
        self.assertEqual(done.returncode, 1)
        found = json.loads(done.stdout)
        self.assertFalse(found["whole"])
        self.assertEqual({file["path"]: file["outcome"] for file in found["files"]},
                         {"config.json": "good", "model.safetensors": "wrong digest",
                          "tokenizer.json": "good"})

    def test_missing(self):
        (self.folder / "model.safetensors").unlink()
        message = self.fails(1, "verify", str(self.folder), "--manifest", str(self.manifest))
        self.assertIn("model.safetensors", message)

    def test_manifest_that_is_none(self):
        self.manifest.write_text("{}")
        message = self.fails(1, "verify", str(self.folder), "--manifest", str(self.manifest))
        self.assertIn("manifest.json", message)


if __name__ == "__main__":
    unittest.main()
