# SPDX-License-Identifier: Apache-2.0
"""vitalis plan, and budgets of memory."""

import json
import unittest

from program import MODEL, Program


class Plan(Program):
    def plan(self, *options):
        return json.loads(self.succeeds("plan", MODEL, "--json", "--no-probe", *options))

    def test_sums(self):
        plan = self.plan("--context", "4096", "--sequences", "3")
        self.assertEqual(plan["peak_bytes"],
                         plan["hot_bytes"] + plan["kv_bytes"] + plan["scratch_bytes"])
        one = self.plan("--context", "4096")
        self.assertEqual(plan["kv_bytes"], 3 * one["kv_bytes"])
        self.assertEqual(one["fit"], "fits")
        self.assertIsNone(one["tokens_per_second"])
        info = json.loads(self.succeeds("info", MODEL, "--json", "--context", "4096"))
        self.assertEqual(one["mapped_bytes"], info["mapped_bytes"])
        self.assertEqual(one["kv_bytes"], info["memory"]["kv_bytes"])

    def test_budget_of_a_plan(self):
        plan = self.plan("--memory-budget", "30MB")
        self.assertEqual(plan["room_bytes"], int(30e6) // 2**20 * 2**20)
        self.assertNotEqual(plan["fit"], "fits")
        self.assertLess(plan["largest_context"], plan["context"])

    def test_speed(self):
        plan = json.loads(self.succeeds("plan", MODEL, "--json"))
        self.assertGreater(plan["tokens_per_second"], plan["tokens_per_second_full"])

    def test_for_people(self):
        text = self.succeeds("plan", MODEL, "--no-probe")
        self.assertRegex(text, r"(?m)^peak +\d+\.\d MB, fits into ")
        self.assertNotIn("speed", text)

    def test_a_run_within_its_budget(self):
        answer = self.succeeds("run", MODEL, "--temperature", "0", "--memory-budget", "25MB",
                               "What is the capital of France?")
        self.assertIn("Paris", answer)

    def test_a_run_beyond_its_budget(self):
        message = self.fails(1, "run", MODEL, "--memory-budget", "25MB", "--context", "65536", "Hi")
        self.assertIn("a context of 65536 tokens takes ", message)
        self.assertIn("the largest context that fits is ", message)

    def test_sizes_that_are_none(self):
        for size in ("12", "0GiB", "-1GiB", "GiB", "1TiB5"):
            message = self.fails(2, "plan", MODEL, f"--memory-budget={size}")
            self.assertIn("expected a size such as 12GiB", message)


if __name__ == "__main__":
    unittest.main()
