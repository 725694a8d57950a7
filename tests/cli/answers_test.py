# SPDX-License-Identifier: Apache-2.0
"""What vitalis-tiny says to `vitalis run`, greedily."""

import json
import os
import subprocess
import tempfile
import unittest

from program import MODEL, PROGRAM, TIMEOUT, Program

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Gets the current weather in a city.",
    "parameters": {"type": "object", "required": ["location"], "properties": {
        "location": {"type": "string", "description": "The name of the city"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"}}}}}


class Answers(Program):
    def test_knows_what_it_was_taught(self):
        self.assertEqual(self.answer("What is the capital of France?"),
                         "The capital of France is Paris.\n")
        self.assertEqual(self.answer("What is 17 + 25?"), "17 + 25 = 42.\n")
        self.assertEqual(self.answer("Sort these numbers: 31, 4, 15, 92"), "4, 15, 31, 92\n")
        self.assertTrue(self.answer("Tell me a story about a fox named Mia.")
                        .startswith("Once upon a time, a "))

    def test_answers_at_each_effort(self):
        for effort in ("low", "medium", "high"):
            self.assertEqual(self.answer("What is the capital of Japan?", "--effort", effort),
                             "The capital of Japan is Tokyo.\n", effort)

    def test_tells_log_probabilities(self):
        done = self.start("run", MODEL, "What is the capital of France?", "--temperature", "0",
                          "--effort", "low", "--logprobs", "2", "--presence-penalty", "-0.5")
        self.assertEqual((done.returncode, done.stdout), (0, b"The capital of France is Paris.\n"))
        rows = [line.split("\t") for line in done.stderr.decode().splitlines()]
        self.assertIn(" Paris", [json.loads(row[0]) for row in rows])
        for row in rows:
            self.assertEqual((len(row), row[0]), (9, row[3]))
            self.assertLessEqual(float(row[7]), float(row[1]))
            self.assertEqual((row[2], row[8]), ("0.0000", "-inf"))

    def test_finds_a_line_behind_the_window(self):
        words = "apple bird cloud dream eagle flame grape house island jungle".split()
        keys = [f"{word}-{colour}" for word in words for colour in ("red", "blue", "green")]
        lines = "\n".join(f"{key}: {number * 17 + 10}" for number, key in enumerate(keys))
        self.assertEqual(self.answer(lines + "\n\nWhat is the value of bird-blue?"),
                         f"The value of bird-blue is {keys.index('bird-blue') * 17 + 10}.\n")

    def test_heeds_instructions(self):
        said = self.answer("What is the capital of Italy?", "--instructions",
                           "Answer in capital letters.")
        self.assertEqual(said, "THE CAPITAL OF ITALY IS ROME.\n")
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("Answer in capital letters.\n")
            file.flush()
            self.assertEqual(self.answer("What is the capital of Italy?", "--instructions-file",
                                         file.name), said)

    def test_reads_the_prompt_from_standard_input(self):
        self.assertEqual(self.succeeds("run", MODEL, "-", "--temperature", "0",
                                       stdin=b"What is the capital of Peru?\n"),
                         "The capital of Peru is Lima.\n")

    def test_takes_a_prompt_that_looks_like_a_command(self):
        for prompt in ("chat", "info"):
            self.assertTrue(self.answer(prompt, "--max-tokens", "400").endswith("\n"))
        self.assertTrue(self.answer("--max-tokens=400", "--", "--help").endswith("\n"))

    def test_shows_reasoning_on_demand(self):
        said = self.answer("What is the capital of France?", "--show-reasoning")
        reasoning, answer = said.splitlines()
        self.assertTrue(reasoning.startswith("[analysis] "), said)
        self.assertEqual(answer, "The capital of France is Paris.")

    def test_shows_a_tool_call(self):
        for form in ([WEATHER], {"tools": [WEATHER]}):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                json.dump(form, file)
                file.flush()
                said = self.answer("What is the weather in Oslo?", "--tools", file.name)
            self.assertTrue(said.startswith("[calls functions.get_weather {"), said)
            self.assertTrue(said.endswith("}]\n"), said)
            call = said[len("[calls functions.get_weather "):-len("]\n")]
            self.assertEqual(json.loads(call)["location"], "Oslo")

    def with_file(self, content, option, *more, stdin=b""):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(content, file)
            file.flush()
            return self.succeeds("run", MODEL, "What is the weather in Paris?", option, file.name,
                                 *more, stdin=stdin)

    def test_goes_on_with_a_tools_results(self):
        said = self.with_file([WEATHER], "--tools", "--temperature", "0", "--tool-results", "-",
                              stdin=b'{"temperature": 21, "unit": "celsius", "sky": "sunny"}\n')
        call, answer = said.splitlines()
        self.assertTrue(call.startswith("[calls functions.get_weather {"), said)
        self.assertIn("21", answer)

    def test_holds_answers_to_tools_and_schemas(self):
        hot = ("--temperature", "2", "--seed", "5", "--max-tokens", "80")
        for choice in ("required", "get_weather"):
            said = self.with_file([WEATHER], "--tools", "--tool-choice", choice, *hot)
            call = said[said.index("{"):said.rindex("}") + 1]
            self.assertIsInstance(json.loads(call)["location"], str)
        self.assertNotIn("[calls", self.with_file(
            [WEATHER], "--tools", "--tool-choice", "none", "--temperature", "0"))
        self.assertEqual(json.loads(self.with_file({"enum": [{"a": 1}]}, "--schema", *hot)), {"a": 1})

    def test_repeats_with_a_seed_and_for_any_number_of_threads(self):
        story = ("run", MODEL, "Tell me a story about a bear named Leo.")
        first = self.succeeds(*story, "--seed", "7", "--threads", "1")
        self.assertEqual(self.succeeds(*story, "--seed", "7", "--threads", "2"), first)
        self.assertNotEqual(self.succeeds(*story, "--seed", "8"), first)

    def test_says_that_an_answer_is_cut_off(self):
        done = self.start("run", MODEL, "Tell me a story about a fox named Mia.", "--temperature",
                          "0", "--effort", "low", "--max-tokens", "20")
        self.assertEqual(done.returncode, 3)
        self.assertTrue(done.stdout.startswith(b"Once upon a time"), done)
        self.assertRegex(done.stderr, rb"\Avitalis: the answer is not complete: .+\n\Z")

    def test_says_that_only_reasoning_was_made(self):
        self.assertIn("the answer is not complete",
                      self.fails(3, "run", MODEL, "What is 2 + 2?", "--max-tokens", "4",
                                 "--effort", "high", "--temperature", "0"))

    def test_tells_speed_and_memory_on_standard_error(self):
        done = self.start("run", MODEL, "What is 2 + 2?", "--temperature", "0", "--stats")
        self.assertEqual((done.returncode, done.stdout), (0, b"2 + 2 = 4.\n"))
        told = done.stderr.decode()
        for line in (r"prompt +\d+ tokens, 0 of them reused, [\d.]+ tokens/s",
                     r"answer +\d+ tokens, \d+ of them reasoning, [\d.]+ tokens/s",
                     r"first token +\d+\.\d{3} s", r"weights read +\d+\.\d\d GB/s",
                     r"peak memory +[\d.]+ [MG]B resident", r"seed +\d+"):
            self.assertRegex(told, line)

    def test_leaves_quietly_when_nobody_reads(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([PROGRAM, "run", MODEL, "What is 2 + 2?"], stdout=writer,
                              stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        os.close(writer)
        self.assertEqual((done.returncode, done.stderr), (141, b""))

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_tells_that_it_cannot_write(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "run", MODEL, "What is 2 + 2?"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rb"\Avitalis: cannot write to standard output: .+\n\Z")


if __name__ == "__main__":
    unittest.main()
