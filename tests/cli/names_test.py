# SPDX-License-Identifier: Apache-2.0
"""A model by its name: found among those here, or offered to be downloaded."""

import unittest

from mock_hub import REPO, HubProgram
from terminal import Terminal

QUESTION = ("What is 2 + 2?", "--temperature", "0")
ANSWER = "2 + 2 = 4.\n"


class Names(HubProgram):
    def test_every_spelling(self):
        self.start("download", REPO)
        for name in (REPO, "gpt-oss-20b", f"{REPO}@main", f"gpt-oss-20b@{self.commit}",
                     f"hf://{REPO}", str(self.snapshot()), str(self.source)):
            self.assertEqual(self.succeeds("run", name, *QUESTION), ANSWER)
        self.assertEqual(self.succeeds("chat", "gpt-oss-20b", "--temperature", "0",
                                       stdin=b"What is 2 + 2?\n"), ANSWER)
        self.assertIn("vocabulary", self.succeeds("info", "gpt-oss-20b"))
        self.assertIn("Hi", self.succeeds("tokenize", "gpt-oss-20b", "Hi"))

    def test_no_network_is_needed(self):
        self.start("download", REPO)
        self.hub.stop()
        self.assertEqual(self.succeeds("run", "gpt-oss-20b", *QUESTION), ANSWER)

    def test_absent(self):
        message = self.fails(1, "run", "gpt-oss-20b", *QUESTION)
        self.assertIn("not on this machine", message)
        self.assertIn("vitalis download gpt-oss-20b\n", message)
        self.assertIn("vitalis download acme/other", self.fails(1, "info", "acme/other"))

    def test_no_name_at_all(self):
        for name in ("nowhere", "/nowhere/at/all", "./x", "../x", "a/b/c", "hf://datasets/a/b",
                     "a//b", "a--b/c", "x/.y", "caf\xe9"):
            message = self.fails(1, "run", name, *QUESTION)
            self.assertNotIn("vitalis download", message, name)

    def test_a_folder_goes_before_a_name(self):
        self.assertEqual(self.succeeds("run", str(self.source), *QUESTION), ANSWER)

    def test_in_part(self):
        self.start("download", REPO)
        (self.snapshot() / "model.safetensors").unlink()
        message = self.fails(1, "run", "gpt-oss-20b", *QUESTION)
        self.assertIn("model.safetensors", message)
        self.assertIn("vitalis download", message)
        self.start("download", REPO)
        self.assertEqual(self.succeeds("run", "gpt-oss-20b", *QUESTION), ANSWER)


class Asked(HubProgram):
    def terminal(self):
        terminal = Terminal("run", "gpt-oss-20b", *QUESTION, home=str(self.home), **self.variables)
        self.addCleanup(terminal.kill)
        terminal.wait_for(r"is not on this machine.*11\.5 MB.*Download it now\? \[Y/n\] ")
        return terminal

    def test_yes(self):
        for answer in ("\r", "y\r"):
            terminal = self.terminal()
            terminal.type(answer)
            terminal.wait_for(r"model\.safetensors.*verified.*2 \+ 2 = 4\.")
            self.assertEqual(terminal.exit_code(), 0)
            self.check_files(self.snapshot())
            self.succeeds("models", "remove", REPO)

    def test_no(self):
        terminal = self.terminal()
        terminal.type("n\r")
        terminal.wait_for("vitalis download gpt-oss-20b")
        self.assertEqual(terminal.exit_code(), 1)
        self.assertFalse(self.snapshot().exists())


if __name__ == "__main__":
    unittest.main()
