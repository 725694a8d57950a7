# SPDX-License-Identifier: Apache-2.0
"""Runs the program under test: VITALIS_PROGRAM on VITALIS_MODEL, which ctest sets. What it caches goes
to a folder of these tests, never to the user's; the user's settings, models and tokens are not read, nor the
machine's."""

import atexit
import os
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["VITALIS_PROGRAM"]
MODEL = os.environ["VITALIS_MODEL"]
CACHE = tempfile.TemporaryDirectory()
atexit.register(CACHE.cleanup)
os.environ["XDG_CACHE_HOME"] = CACHE.name
for name in [x for x in os.environ
             if x.startswith(("HF_", "HUGGING", "SSL_CERT_")) or x.upper().endswith("_PROXY")]:
    del os.environ[name]
os.environ["HF_HOME"] = os.path.join(CACHE.name, "huggingface")
os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_CONFIG_DIRS"] = os.path.join(CACHE.name, "config")
TIMEOUT = 240  # seconds; generous, since sanitizers and busy machines are slow


class Program(unittest.TestCase):
    def start(self, *arguments, stdin=b"", env=None):
        return subprocess.run([os.fsencode(x) for x in (PROGRAM, *arguments)], input=stdin, env=env,
                              capture_output=True, timeout=TIMEOUT, check=False)

    def succeeds(self, *arguments, stdin=b""):
        """Standard output of a run that says nothing on standard error."""
        done = self.start(*arguments, stdin=stdin)
        self.assertEqual((done.returncode, done.stderr), (0, b""), done)
        return done.stdout.decode("utf-8")

    def fails(self, code, *arguments, stdin=b""):
        """The sentence on standard error of a run that must not write to standard output."""
        done = self.start(*arguments, stdin=stdin)
        message = done.stderr.decode("utf-8")
        self.assertEqual((done.returncode, done.stdout), (code, b""), done)
        self.assertRegex(message, r"\Avitalis: .+\n\Z")
        self.assertNotRegex(message, "\x1b|terminate called|Sanitizer|Assertion")
        return message

    def answer(self, prompt, *options):
        return self.succeeds("run", MODEL, prompt, "--temperature", "0", *options)
