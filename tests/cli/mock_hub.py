# SPDX-License-Identifier: Apache-2.0
"""The tests' own hub, as a program of its own that VITALIS_MOCK_HUB names, and a home to use it from."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from program import MODEL, Program

REPO = "openai/gpt-oss-20b"
TOKEN = "a-token-that-nobody-may-see"
OTHER_TOKEN = "another-token-of-the-same-person"


class Hub:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([os.environ["VITALIS_MOCK_HUB"], *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint, self.ca_file = self.process.stdout.readline().split()

    def commit(self, folder):
        """The commit's id."""
        self.process.stdin.write(f"commit {REPO}={folder}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()[1]

    def stop(self):
        if self.process.poll() is None:
            self.process.communicate()


class HubProgram(Program):
    """A hub with vitalis-tiny under a well-known name, and an empty Hugging Face home."""

    hub_arguments = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.home = self.root / "home"
        self.home.mkdir()
        self.source = self.root / "source"
        shutil.copytree(MODEL, self.source)
        (self.source / "original").mkdir()
        (self.source / "original" / "model.safetensors").write_bytes(b"x" * 1000)
        self.hub = Hub("--token", TOKEN, "--token", OTHER_TOKEN, *self.hub_arguments)
        self.addCleanup(self.hub.stop)
        self.commit = self.hub.commit(self.source)
        self.variables = {"HF_HOME": str(self.home), "HF_ENDPOINT": self.hub.endpoint,
                          "SSL_CERT_FILE": self.hub.ca_file}

    def start(self, *arguments, stdin=b"", env=None):
        return super().start(*arguments, stdin=stdin, env=env or {**os.environ, **self.variables})

    def snapshot(self, commit=None):
        return self.home / "hub" / "models--openai--gpt-oss-20b" / "snapshots" / (commit or self.commit)

    def check_files(self, folder):
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            self.assertEqual((folder / name).read_bytes(), (self.source / name).read_bytes(), name)

    def check_no_secret(self, *streams):
        """The token stands nowhere but in the files that are made for it."""
        for stream in streams:
            self.assertNotIn(TOKEN.encode(), stream)
        for path in self.root.rglob("*"):
            if path.is_file() and path.name not in ("token", "stored_tokens"):
                self.assertNotIn(TOKEN.encode(), path.read_bytes(), path)
