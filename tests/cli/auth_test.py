# SPDX-License-Identifier: Apache-2.0
"""vitalis auth: signing in by a prompt that shows nothing, by a pipe and by an option; and out."""

import json
import os
import signal
import unittest

from mock_hub import OTHER_TOKEN, REPO, TOKEN, HubProgram
from terminal import Terminal


class Auth(HubProgram):
    def mode(self, name):
        return (self.home / name).stat().st_mode & 0o777

    def login(self, stdin=TOKEN + "\n"):
        return self.succeeds("auth", "login", stdin=stdin.encode())

    def test_from_a_pipe(self):
        said = self.login()
        self.assertTrue(said.startswith("Signed in as person"), said)
        self.assertEqual((self.home / "token").read_text(), TOKEN)
        self.assertEqual((self.mode("token"), self.mode("stored_tokens")), (0o600, 0o600))
        self.assertTrue(self.succeeds("auth", "whoami").startswith("person"))
        listed = self.succeeds("auth", "list")
        self.assertRegex(listed, r"\A\* laptop  \S*…")
        self.check_no_secret(said.encode(), listed.encode())
        self.assertEqual(json.loads(self.succeeds("auth", "whoami", "--json"))["name"], "person")

    def test_by_option(self):
        self.succeeds("auth", "login", "work", "--token", TOKEN)
        self.succeeds("auth", "login", "home", "--token", "-", stdin=OTHER_TOKEN.encode())
        names = [(x["name"], x["active"]) for x in json.loads(self.succeeds("auth", "list", "--json"))]
        self.assertEqual(sorted(names), [("home", True), ("work", False)])
        self.succeeds("auth", "switch", "work")
        self.assertIn("* work", self.succeeds("auth", "list"))
        self.assertIn("work", self.fails(1, "auth", "switch", "school"))
        self.succeeds("auth", "logout", "work")
        self.assertEqual([x["name"] for x in json.loads(self.succeeds("auth", "list", "--json"))],
                         ["home"])
        self.assertFalse((self.home / "token").exists())
        self.succeeds("auth", "logout")
        self.assertEqual(self.succeeds("auth", "list"), "")

    def test_signed_out(self):
        self.fails(1, "auth", "whoami")
        self.assertEqual(self.succeeds("auth", "list"), "")

    def test_tokens_that_cannot_be(self):
        for bad in ("", "\n", "two words", "line\nline", "x" * 5000, "caf\xe9", "a\0b"):
            message = self.fails(1, "auth", "login", stdin=bad.encode("latin-1"))
            if bad.strip():
                self.assertNotIn(bad.strip(), message)
        message = self.fails(1, "auth", "login", stdin=b"unknown-to-the-hub")
        self.assertNotIn("unknown-to-the-hub", message)
        self.assertEqual(sorted(os.listdir(self.home)), [])

    def test_usage(self):
        for words in ((), ("bogus",), ("switch",), ("list", "x"), ("whoami", "--token", "x"),
                      ("login", "--token", "x", "--code"), ("login", "--code")):
            self.fails(2, "auth", *words)

    def test_token_of_the_environment(self):
        self.variables["HF_TOKEN"] = TOKEN
        self.assertTrue(self.succeeds("auth", "whoami").startswith("person"))
        self.assertEqual(sorted(os.listdir(self.home)), [])

    def test_a_stale_token_does_not_stop_a_public_download(self):
        self.variables["HF_TOKEN"] = "expired-token"
        done = self.start("download", REPO, "config.json")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn(b"going on without it", done.stderr)
        self.assertNotIn(b"expired-token", done.stdout + done.stderr)
        self.variables["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
        self.assertEqual(self.start("download", REPO, "--dry-run").stderr, b"")

    def test_nothing_leaks_while_downloading(self):
        self.variables["HF_TOKEN"] = TOKEN
        done = self.start("download", REPO, "--json")
        self.assertEqual(done.returncode, 0, done)
        self.check_no_secret(done.stdout, done.stderr)


class Prompt(HubProgram):
    def terminal(self):
        terminal = Terminal("auth", "login", home=str(self.home), **self.variables)
        self.addCleanup(terminal.kill)
        terminal.wait_for("Token")
        return terminal

    def test_what_is_typed_is_not_shown(self):
        terminal = self.terminal()
        self.assertFalse(terminal.echoes())
        terminal.type(TOKEN + "x\x7f\r")
        terminal.wait_for("Signed in as person")
        self.assertEqual(terminal.exit_code(), 0)
        self.assertEqual((self.home / "token").read_text(), TOKEN)
        self.check_no_secret(terminal.heard)

    def test_control_c_leaves_the_terminal_as_it_was(self):
        terminal = self.terminal()
        terminal.type("half a tok\x03")
        terminal.wait_for("\n")
        self.assertEqual(terminal.exit_code(), 130)
        self.assertNotIn(b"half", terminal.heard)
        self.assertEqual(sorted(os.listdir(self.home)), [])

    def test_signals_restore_the_terminal(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            terminal = self.terminal()
            os.kill(terminal.pid, number)
            os.waitpid(terminal.pid, 0)
            terminal.pid = 0
            self.assertTrue(terminal.echoes(), number)
            os.close(terminal.terminal)


if __name__ == "__main__":
    unittest.main()
