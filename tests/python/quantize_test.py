# SPDX-License-Identifier: Apache-2.0
"""vitalis.Quantization on the demonstration model."""

import tempfile
import unittest
from pathlib import Path

import vitalis
from tiny import PATH


class QuantizeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name) / "tiny-q8"

    def test_run(self):
        with vitalis.Quantization(PATH, self.out) as quantization:
            with self.assertRaises(vitalis.InvalidArgumentError):
                quantization.report
            stages = [progress.stage for progress in quantization]
            report = quantization.report
        self.assertEqual((stages[0], stages[-1]), ("writing", "done"))
        self.assertIn("comparing", stages)
        self.assertGreater(report.tokens, 400)
        self.assertLess(report.divergence, 0.01)
        self.assertGreater(report.agreement, 0.95)
        self.assertLess(report.target_bytes, report.source_bytes)
        self.assertLess(report.decode_bytes_after, report.decode_bytes_before)
        self.assertEqual(report.tokens_per_second_after, 0)
        with vitalis.Model(self.out) as model:
            self.assertEqual(model.info.format, "safetensors, 8-bit dense part")
            self.assertEqual(model.info.decode_bytes, report.decode_bytes_after)
            answer = model.chat.completions.create(
                messages=[{"role": "user", "content": "What is the capital of France?"}],
                temperature=0)
            self.assertIn("Paris", answer.choices[0].message.content)

    def test_cancel(self):
        with vitalis.Quantization(PATH, self.out, compare=False) as quantization:
            quantization.cancel()
            self.assertEqual(list(quantization), [])
            self.assertFalse(self.out.exists())
            self.assertEqual(quantization.run().tokens, 0)
        self.assertTrue(self.out.exists())
        with self.assertRaises(vitalis.InvalidArgumentError):
            vitalis.Quantization(PATH, self.out)


if __name__ == "__main__":
    unittest.main()
