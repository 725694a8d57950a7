# SPDX-License-Identifier: Apache-2.0
"""vitalis chat: from a pipe, and typed into a pseudo-terminal."""

import os
import re
import signal
import subprocess
import tempfile
import unittest

from program import MODEL, PROGRAM, TIMEOUT, Program
from terminal import Terminal

GREEDY = ("--temperature", "0")
# Thousands of random tokens: an interrupt arrives in time.
ENDLESS = ("--temperature", "100", "--seed", "7", "--show-reasoning", "--context", "100000")


class Piped(Program):
    def chat(self, lines, *options):
        return self.succeeds("chat", MODEL, *GREEDY, *options, stdin=lines.encode())

    def test_remembers_a_name_until_reset(self):
        said = self.chat("My name is Anna.\nWhat is my name?\n/reset\nWhat is my name?\n")
        first, second, third = said.splitlines()
        self.assertEqual(first, "Nice to meet you, Anna!")
        self.assertEqual(second, "Your name is Anna.")
        self.assertNotIn("Anna", third)

    def test_reads_only_what_is_new(self):
        done = self.start("chat", MODEL, *GREEDY, "--stats",
                          stdin=b"My name is Anna.\nWhat is my name?\n")
        reused = [int(x) for x in re.findall(rb"(\d+) of them reused", done.stderr)]
        self.assertEqual(reused[0], 0)
        self.assertGreater(reused[1], 50)

    def test_commands(self):
        self.assertIn("/effort", self.chat("/help\n"))
        self.assertEqual(self.chat("/exit\nWhat is 1 + 1?\n"), "")
        self.assertEqual(self.chat("/system Answer in capital letters.\n"
                                   "What is the capital of Italy?\n/reset\n/system\n"
                                   "What is the capital of Italy?\n"),
                         "THE CAPITAL OF ITALY IS ROME.\nThe capital of Italy is Rome.\n")
        self.assertEqual(self.chat("/reasoning on\n/effort low\nWhat is 2 + 2?\n"), "2 + 2 = 4.\n")
        self.assertTrue(self.chat("/reasoning on\n/effort high\nWhat is 2 + 2?\n")
                        .startswith("[analysis] "))

    def test_a_session_goes_on_from_its_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "talk")
            one = self.chat("My name is Anna.\nWhat is 17 + 25?\nWhat is my name?\n")
            parts = [self.chat("My name is Anna.\n", "--session", path)]
            # What was kept has its own system message and instructions.
            parts += [self.chat(line, "--session", path, "--instructions", "Say no.", "--date", "")
                      for line in ("What is 17 + 25?\n", "What is my name?\n")]
            self.assertEqual(parts[2], "Your name is Anna.\n")
            self.assertEqual("".join(parts), one)
            done = self.start("chat", MODEL, *GREEDY, "--session", path, "--stats", stdin=b"Hello!\n")
            prompt, reused = map(int, re.findall(rb"prompt +(\d+) tokens, (\d+)", done.stderr)[0])
            self.assertLess(prompt - reused, 60)
            self.assertEqual(os.listdir(folder), ["talk"])
            self.chat("/reset\n", "--session", path)
            self.assertNotIn("Anna", self.chat("What is my name?\n", "--session", path))

    def test_a_session_file_that_is_not_one_is_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "talk")
            self.chat("Hello!\n", "--session", path)
            with open(path, "rb") as file:
                good = file.read()
            for bad, sentence in ((b"my thesis", "no session file"), (good[:-1], "damaged"),
                                  (good[:5000] + b"?" + good[5001:], "damaged")):
                with open(path, "wb") as file:
                    file.write(bad)
                said = self.fails(1, "chat", MODEL, "--session", path, stdin=b"Hello!\n")
                self.assertIn(sentence, said)
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), bad)
        said = self.start("chat", MODEL, *GREEDY, "--session", path, stdin=b"Hello!\n")
        self.assertEqual(said.returncode, 1)
        self.assertIn(b"cannot create", said.stderr)

    def test_a_script_stops_at_its_first_mistake(self):
        for lines, code, sentence in (("/bogus\n", 2, "unknown command /bogus"),
                                      ("/effort huge\n", 2, "expected low, medium or high"),
                                      ("/reasoning maybe\n", 2, "expected on or off"),
                                      ("/stats\n", 2, "no answer yet"),
                                      ("\udcff\n", 1, "UTF-8")):
            self.assertIn(sentence, self.fails(code, "chat", MODEL, stdin=os.fsencode(lines)))

    def test_a_script_stops_at_an_answer_that_is_cut_off(self):
        done = self.start("chat", MODEL, *GREEDY, "--effort", "low", "--max-tokens", "20",
                          stdin=b"Tell me a story about a fox named Mia.\nWhat is 2 + 2?\n")
        self.assertEqual(done.returncode, 3)
        self.assertTrue(done.stdout.startswith(b"Once upon a time"), done)
        self.assertNotIn(b"2 + 2", done.stdout)


class Typed(Program):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)

    def chat(self, *options):
        terminal = Terminal("chat", MODEL, *options, home=self.home.name)
        self.addCleanup(terminal.kill)
        terminal.wait_for("> ")
        return terminal

    def test_answers_and_leaves(self):
        chat = self.chat(*GREEDY)
        chat.type("My name is Anna.\r")
        chat.wait_for("Nice to meet you, Anna!")
        chat.wait_for("> ")
        chat.type("What is my name?\r")
        chat.wait_for("Your name is Anna\\.")
        chat.wait_for("> ")
        chat.type("/exit\r")
        self.assertEqual(chat.exit_code(), 0)

    def test_end_of_input_leaves(self):
        chat = self.chat(*GREEDY)
        chat.type("\x04")
        self.assertEqual(chat.exit_code(), 0)

    def test_interrupt_stops_the_answer_only(self):
        chat = self.chat(*ENDLESS)
        chat.type("Hello!\r")
        chat.wait_for("[^\r\n]\r\n.{200}")  # the line's echo, then text
        chat.type("\x03")
        chat.wait_for("the answer is not complete: stopped by Ctrl-C")
        chat.wait_for("> ")
        chat.type("/reset\r")
        chat.wait_for("> ")
        chat.type("/exit\r")
        self.assertEqual(chat.exit_code(), 0)

    def test_interrupt_drops_the_line(self):
        chat = self.chat(*GREEDY)
        chat.type("/exit")
        chat.wait_for("/exit")
        chat.type("\x03")
        chat.wait_for("> ")
        chat.type("What is 2 + 2?\r")
        chat.wait_for("2 \\+ 2 = 4\\.")
        chat.wait_for("> ")
        chat.type("/exit\r")
        self.assertEqual(chat.exit_code(), 0)

    def test_mistakes_do_not_end_it(self):
        chat = self.chat(*GREEDY)
        chat.type("/bogus\r")
        chat.wait_for("unknown command /bogus")
        chat.wait_for("> ")
        chat.type("/exit\r")
        self.assertEqual(chat.exit_code(), 0)

    def test_dims_reasoning(self):
        chat = self.chat(*GREEDY, "--show-reasoning")
        chat.type("What is the capital of France?\r")
        chat.wait_for("\x1b\\[2m.+\x1b\\[0m.*The capital of France is Paris\\.")
        chat.type("/exit\r")
        self.assertEqual(chat.exit_code(), 0)

    def test_keeps_utf8_and_history(self):
        chat = self.chat(*GREEDY)
        chat.type("Repeat after me: café 你好\r")
        chat.wait_for("\r\n.*café 你好")
        chat.wait_for("> ")
        chat.type("/exit\r")
        self.assertEqual(chat.exit_code(), 0)
        history = os.path.join(self.home.name, ".local/state/vitalis/history")
        self.assertTrue(os.path.exists(history))
        self.assertEqual(os.stat(history).st_mode & 0o077, 0)
        chat = self.chat(*GREEDY)
        chat.type("\x1b[A\x1b[A\r")  # up twice: the line before /exit
        chat.wait_for("\r\n.*café 你好")
        chat.wait_for("> ")
        chat.type("/exit\r")
        self.assertEqual(chat.exit_code(), 0)


class Interrupted(Program):
    def test_run_ends_with_the_code_of_an_interrupt(self):
        running = subprocess.Popen([PROGRAM, "run", MODEL, "Hello!", *ENDLESS],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(running.stdout.read(1))
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=TIMEOUT)
        self.assertEqual(running.returncode, 130)
        self.assertEqual(told, b"vitalis: the answer is not complete: stopped by Ctrl-C\n")


if __name__ == "__main__":
    unittest.main()
