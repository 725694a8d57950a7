# SPDX-License-Identifier: Apache-2.0
"""vitalis quantize: what it tells, what it leaves behind when it is stopped, what it refuses."""

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from program import MODEL, PROGRAM, Program


class Quantize(Program):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "tiny-q8"

    @staticmethod
    def contents(folder):
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def test_report(self):
        text = self.succeeds("quantize", MODEL, str(self.out))
        self.assertRegex(text, r"(?m)^files +8\.8 MB, 2\.6 MB less than before; ")
        self.assertRegex(text, r"(?m)^each token +5\.1 MB of weights read, before 7\.0 MB$")
        self.assertRegex(text, r"(?m)^divergence +0\.0\d+ nats on average over 512 tokens, ")
        self.assertRegex(text, r"(?m)^agreement +(100\.00|9\d\.\d\d) % of the most probable tokens$")
        self.assertRegex(text, r"(?m)^speed +about \d+\.\d tokens/s, before \d+\.\d$")
        answer = self.succeeds("run", str(self.out), "What is the capital of France?",
                               "--temperature", "0")
        self.assertIn("Paris", answer)
        info = json.loads(self.succeeds("info", str(self.out), "--json"))
        self.assertEqual(info["format"], "safetensors, 8-bit dense part")

    def test_json(self):
        report = json.loads(self.succeeds("quantize", MODEL, str(self.out), "--no-probe", "--json"))
        self.assertEqual(report["path"], str(self.out))
        self.assertEqual(report["tokens"], 512)
        self.assertLess(report["divergence"], 0.01)
        self.assertLess(report["divergence"], report["divergence_worst"])
        self.assertGreater(report["agreement"], 0.97)
        self.assertIsNone(report["tokens_per_second_after"])
        self.assertLess(report["decode_bytes_after"], report["decode_bytes_before"])

    def test_killed_at_random_and_gone_on(self):
        whole = self.folder / "whole"
        self.succeeds("quantize", MODEL, str(whole), "--no-compare", "--no-probe")
        for _ in range(6):
            with subprocess.Popen([PROGRAM, "quantize", MODEL, str(self.out), "--no-probe"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
                time.sleep(random.uniform(0, 0.4))
                run.send_signal(signal.SIGKILL)
            if not self.out.exists():
                self.succeeds("quantize", MODEL, str(self.out), "--no-compare", "--no-probe")
            found = self.contents(self.out)
            self.assertEqual(found, self.contents(whole))
            shutil.rmtree(self.out)

    def test_refusals(self):
        self.succeeds("quantize", MODEL, str(self.out), "--no-compare", "--no-probe")
        self.assertIn("is there already", self.fails(1, "quantize", MODEL, str(self.out)))
        self.assertIn("in eight bits already",
                      self.fails(1, "quantize", str(self.out), str(self.folder / "again")))
        self.assertIn("there is no folder",
                      self.fails(1, "quantize", MODEL, str(self.folder / "none" / "out")))
        bare = self.folder / "bare"
        shutil.copytree(MODEL, bare)
        os.remove(bare / "tokenizer.json")
        self.assertIn("tokenizer.json",
                      self.fails(1, "quantize", str(bare), str(self.folder / "compared")))
        self.succeeds("quantize", str(bare), str(self.folder / "compared"), "--no-compare",
                      "--no-probe")


if __name__ == "__main__":
    unittest.main()
