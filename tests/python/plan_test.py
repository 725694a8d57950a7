# SPDX-License-Identifier: Apache-2.0
"""vitalis.plan and vitalis.Verification: a model's memory, and whether its files are whole."""

import hashlib
import json
import os
import shutil
import tempfile
import threading
import unittest
from pathlib import Path

import vitalis
from tiny import PATH, TinyTest

FILES = ("config.json", "model.safetensors", "tokenizer.json")


class Plans(TinyTest):
    def test_sums(self):
        one = vitalis.plan(PATH, context=1024)
        three = vitalis.plan(Path(PATH), context=1024, sequences=3, engine=self.model.engine)
        self.assertEqual(one.peak_bytes, one.hot_bytes + one.kv_bytes + one.scratch_bytes)
        self.assertEqual((three.kv_bytes, three.sequences), (3 * one.kv_bytes, 3))
        self.assertEqual((one.context, one.fit, one.tokens_per_second), (1024, "fits", 0))
        self.assertEqual(one.mapped_bytes, self.model.info.mapped_bytes)
        self.assertEqual(one.kv_bytes, self.model.session_memory(context=1024).kv_bytes)
        self.assertGreater(one.memory_total, one.peak_bytes)

    def test_budgets(self):
        small = vitalis.plan(PATH, memory_budget_mib=24)
        self.assertEqual(small.room_bytes, 24 << 20)
        self.assertNotEqual(small.fit, "fits")
        self.assertLess(small.largest_context, small.context)
        self.assertEqual(vitalis.plan(PATH, memory_budget_mib=1).fit, "does not fit")
        with self.model.session(memory_budget_mib=24) as session:
            self.assertGreater(small.largest_context, 256)
            with self.assertRaises(vitalis.ContextFullError):
                session.forward([1] * (small.largest_context + 1))
        with self.assertRaises(MemoryError) as caught:
            self.model.session(context=4096, memory_budget_mib=8)
        self.assertIn("the memory budget is 8", str(caught.exception))
        with self.assertRaises(vitalis.OutOfMemoryError):
            self.model.session_memory(memory_budget_mib=1)

    def test_speed(self):
        probed = vitalis.plan(PATH, engine=self.model.engine, probe=True)
        self.assertGreater(probed.tokens_per_second, probed.tokens_per_second_full)

    def test_mistakes(self):
        with self.assertRaises(FileNotFoundError):
            vitalis.plan("/no/such/model")
        for options in ({"sequences": 0}, {"sequences": 2**20}, {"context": -1},
                        {"context": 10**9}, {"memory_budget_mib": 2**32}):
            with self.assertRaises(ValueError, msg=options):
                vitalis.plan(PATH, **options)
        with self.assertRaises(TypeError):
            vitalis.plan(PATH, None)


class Verifications(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in FILES:
            shutil.copy(os.path.join(PATH, name), self.folder / name)
        entries = [{"path": name, "size": (self.folder / name).stat().st_size,
                    "sha256": hashlib.sha256((self.folder / name).read_bytes()).hexdigest()}
                   for name in FILES]
        self.manifest = self.folder / "manifest.json"
        self.manifest.write_text(json.dumps(
            {"schema": 1, "repo": "here/tiny", "commit": "ab" * 20, "files": entries}))

    def open(self):
        verification = vitalis.Verification(self.folder, manifest=self.manifest)
        self.addCleanup(verification.close)
        return verification

    def test_whole(self):
        verification = self.open()
        told = list(verification)
        self.assertEqual((told[0].bytes_done, told[0].files), (0, 3))
        self.assertEqual(told[-1].bytes_done, told[-1].bytes_total)
        self.assertEqual(told[-1].release, "here/tiny at abababa")
        self.assertEqual([(file.path, file.outcome, file.detail) for file in verification.files],
                         [(name, "good", "") for name in FILES])

    def test_damaged(self):
        content = bytearray((self.folder / "model.safetensors").read_bytes())
        content[-1] ^= 1
        (self.folder / "model.safetensors").write_bytes(content)
        verification = self.open()
        with self.assertRaises(vitalis.IntegrityError) as caught:
            verification.run()
        self.assertIn("model.safetensors: expected ", str(caught.exception))
        self.assertEqual([file.outcome for file in verification.files],
                         ["good", "wrong digest", "good"])

    def test_without_a_manifest(self):
        with vitalis.Verification(self.folder) as verification:
            self.assertEqual([(told.files, told.release) for told in verification], [(0, "")])
            self.assertEqual(verification.run(), [])

    def test_what_cannot_begin(self):
        with self.assertRaises(FileNotFoundError):
            vitalis.Verification("/no/such/model")
        with self.assertRaises(FileNotFoundError):
            vitalis.Verification(self.folder, manifest="/no/such/manifest.json")
        self.manifest.write_text("{")
        with self.assertRaises(vitalis.MalformedError):
            self.open()
        (self.folder / "tokenizer.json").unlink()
        with self.assertRaises(FileNotFoundError):
            vitalis.Verification(self.folder)

    def test_cancel(self):
        verification = self.open()
        thread = threading.Thread(target=verification.cancel)
        thread.start()
        thread.join()
        self.assertEqual(list(verification), [])
        self.assertEqual({file.outcome for file in verification.files}, {"pending"})
        self.assertEqual({file.outcome for file in verification.run()}, {"good"})


if __name__ == "__main__":
    unittest.main()
