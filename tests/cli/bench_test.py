# SPDX-License-Identifier: Apache-2.0
"""vitalis bench, and the script that compares it with a peer's."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from program import MODEL, PROGRAM, TIMEOUT, Program

SCRIPT = Path(os.environ["VITALIS_SOURCE_DIR"]) / "bench" / "peers" / "llama_bench.py"
SMALL = ("--prompts", "16,5", "--depths", "40,0", "--sequences", "1,3", "--generate", "4",
         "--repeats", "2")
# As much of llama-bench as the script uses.
PEER = """#!/usr/bin/env python3
import json, sys
value = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert value["-o"] == "json" and value["-m"] == "peer.gguf"
numbers = lambda name: [int(x) for x in value.get(name, "0").split(",")]
print(json.dumps([{"n_prompt": p, "n_gen": int(value["-n"]), "n_depth": d, "avg_ts": 0.5}
                  for p in numbers("-p") for d in numbers("-d")]))
"""


class Bench(Program):
    def test_json_has_each_repeat(self):
        said = json.loads(self.succeeds("bench", MODEL, "--json", "--threads", "1", *SMALL))
        self.assertEqual(
            [(x["name"], x["tokens"], x["depth"], x["sequences"]) for x in said["tests"]],
            [("pp16", 16, 0, 1), ("pp5", 5, 0, 1), ("tg4", 4, 0, 1), ("tg4", 4, 40, 1),
             ("tg4x1", 4, 0, 1), ("tg4x3", 12, 0, 3)])
        for test in said["tests"]:
            self.assertEqual(len(test["seconds"]), 2)
            self.assertTrue(all(0 < x < TIMEOUT for x in test["seconds"]))
            speeds = [test["tokens"] / x for x in test["seconds"]]
            self.assertTrue(any(abs(test["tokens_per_second"] / x - 1) < 1e-9 for x in speeds))
        self.assertEqual(said["threads"], 1)
        self.assertLess(0, said["open_seconds"])
        self.assertLess(said["open_seconds"], said["first_token_seconds"])
        self.assertLess(said["anonymous_bytes"], said["peak_bytes"])
        self.assertGreater(said["anonymous_bytes"], 0)

    def test_table_for_people(self):
        lines = self.succeeds("bench", MODEL, *SMALL).splitlines()
        table = [line.split() for line in lines[lines.index("") + 2:]]
        self.assertEqual([row[:2] for row in table],
                         [["pp16", "0"], ["pp5", "0"], ["tg4", "0"], ["tg4", "40"],
                          ["tg4x1", "0"], ["tg4x3", "0"]])
        for row in table:
            middle, lowest, highest = map(float, row[2:5])
            self.assertTrue(0 < lowest <= middle <= highest)

    def test_nothing_to_measure_is_fine(self):
        said = json.loads(self.succeeds("bench", MODEL, "--json", "--prompts", "", "--depths", "",
                                       "--sequences", ""))
        self.assertEqual(said["tests"], [])

    def test_mistakes(self):
        self.assertIn("between commas", self.fails(2, "bench", MODEL, "--prompts", "12,x"))
        self.assertIn("between commas", self.fails(2, "bench", MODEL, "--prompts", "0"))
        self.assertIn("between commas", self.fails(2, "bench", MODEL, "--sequences", "0"))
        self.assertIn("sessions", self.fails(1, "bench", MODEL, "--prompts", "", "--depths", "",
                                             "--sequences", "4000000"))
        self.assertIn("expected a number", self.fails(2, "bench", MODEL, "--repeats", "0"))
        self.assertIn("/nowhere", self.fails(1, "bench", "/nowhere"))

    def test_depths_beyond_the_model(self):
        self.assertIn("context", self.fails(1, "bench", MODEL, "--depths", "16000000"))

    def test_comparison_with_a_peer(self):
        with tempfile.TemporaryDirectory() as folder:
            peer = Path(folder) / "llama-bench"
            peer.write_text(PEER, encoding="utf-8")
            peer.chmod(peer.stat().st_mode | stat.S_IXUSR)
            done = subprocess.run(
                [sys.executable, SCRIPT, "--vitalis", PROGRAM, MODEL, "--peer", peer, "peer.gguf",
                 "--rounds", "1", "--prompts", "32", "--depths", "0"], capture_output=True, text=True, timeout=TIMEOUT, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        table = [line.split() for line in done.stdout.splitlines()[1:]]
        self.assertEqual([row[0] for row in table], ["pp32", "tg64"])
        for row in table:
            own, other, ratio = map(float, row[-3:])
            self.assertEqual(other, 0.5)
            self.assertAlmostEqual(ratio, own / 0.5, delta=0.02 * ratio + 0.02)


if __name__ == "__main__":
    unittest.main()
