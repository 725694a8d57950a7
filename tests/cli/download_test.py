# SPDX-License-Identifier: Apache-2.0
"""vitalis download: what is fetched, how it is told, and how it goes on after being stopped."""

import hashlib
import json
import os
import signal
import subprocess
import time
import unittest

from mock_hub import REPO, HubProgram
from program import PROGRAM, TIMEOUT
from terminal import Terminal

NEEDED = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"}


def files_below(folder):
    return {str(x.relative_to(folder)) for x in folder.rglob("*")
            if not x.is_dir() and ".cache" not in x.parts}


class Download(HubProgram):
    def test_what_inference_needs(self):
        self.assertEqual(self.succeeds("download", "gpt-oss-20b"), f"{self.snapshot()}\n")
        self.assertEqual(files_below(self.snapshot()), NEEDED)
        self.check_files(self.snapshot())
        self.assertEqual(self.succeeds("download", "gpt-oss-20b"), f"{self.snapshot()}\n")

    def test_selection(self):
        for options, expected in ((("--all",), NEEDED | {"README.md", "original/model.safetensors"}),
                                  (("--include", "*.json", "--exclude", "gen*"),
                                   {"config.json", "tokenizer.json"}),
                                  (("original/",), {"original/model.safetensors"}),
                                  (("config.json", "README.md"), {"config.json", "README.md"}),
                                  (("--exclude", "*.safetensors"), NEEDED - {"model.safetensors"})):
            folder = self.root / "local"
            self.succeeds("download", REPO, *options, "--local-dir", folder)
            self.assertEqual(files_below(folder), expected, options)
            subprocess.run(["rm", "-r", folder], check=True)
        self.assertIn("config.json", self.fails(1, "download", REPO, "confg.json"))

    def test_local_folder_is_a_model(self):
        folder = self.root / "local"
        self.assertEqual(self.succeeds("download", REPO, "--local-dir", folder), f"{folder}\n")
        self.assertEqual(self.succeeds("run", folder, "What is 2 + 2?", "--temperature", "0"),
                         "2 + 2 = 4.\n")
        self.assertTrue((folder / ".cache" / "huggingface").is_dir())

    def test_dry_run(self):
        said = self.succeeds("download", REPO, "--dry-run")
        self.assertIn(self.commit[:12], said)
        self.assertIn("11.5 MB to fetch", said)
        self.assertIn("model.safetensors  fetch", said)
        self.assertFalse(self.snapshot().exists())

    def test_json_lines(self):
        lines = [json.loads(x) for x in self.succeeds("download", REPO, "--json").splitlines()]
        self.assertEqual([lines[0]["event"], lines[-1]["event"]], ["plan", "done"])
        self.assertEqual(lines[0]["plan"]["commit"], self.commit)
        self.assertEqual({x["path"] for x in lines[0]["plan"]["files"]}, NEEDED)
        progress = [x for x in lines if x["event"] == "progress"]
        self.assertEqual(progress[-1]["stage"], "done")
        self.assertEqual(progress[-1]["bytes_verified"], progress[-1]["bytes_total"])
        self.assertEqual({x["state"] for x in progress[-1]["files"]}, {"done"})
        self.assertEqual(lines[-1]["folder"], str(self.snapshot()))

    def test_revision_pin_and_manifest(self):
        self.assertIn("a" * 40, self.fails(1, "download", REPO, "--pin", "a" * 40))
        self.succeeds("download", f"{REPO}@{self.commit}", "--pin", self.commit)
        self.assertIn("nowhere", self.fails(1, "download", REPO, "--revision", "nowhere"))
        weights = (self.source / "model.safetensors").read_bytes()
        manifest = {"schema": 1, "repo": REPO, "commit": self.commit, "files": [
            {"path": "model.safetensors", "size": len(weights),
             "sha256": hashlib.sha256(weights).hexdigest()}]}
        path = self.root / "manifest.json"
        path.write_text(json.dumps(manifest))
        self.succeeds("download", REPO, "--manifest", path)
        manifest["files"][0]["sha256"] = "0" * 64
        path.write_text(json.dumps(manifest))
        self.assertIn("model.safetensors", self.fails(1, "download", REPO, "--manifest", path))
        self.fails(1, "download", REPO, "--manifest", "/nowhere")

    def test_reuse(self):
        said = self.succeeds("download", REPO, "--reuse", self.source, "--dry-run")
        self.assertIn(" 0 B to fetch", said)
        self.succeeds("download", REPO, "--reuse", self.source)
        self.check_files(self.snapshot())

    def test_offline(self):
        for name, value in (("HF_HUB_OFFLINE", "YES"), ("VITALIS_HUB_OFFLINE", "true")):
            self.variables[name] = value
            self.assertIn("offline", self.fails(1, "download", REPO).lower())
            del self.variables[name]
        self.assertIn("offline", self.fails(1, "download", REPO, "--offline").lower())

    def test_refused(self):
        self.assertIn("acme/absent", self.fails(1, "download", "acme/absent"))
        for name in ("", "a/b/c", "../x", "hf://datasets/a/b", "a@b@c"):
            self.fails(1, "download", name)
        self.assertIn("https", self.fails(1, "download", REPO, "--endpoint", "http://example.org"))
        del self.variables["SSL_CERT_FILE"]
        self.assertIn("certificate", self.fails(1, "download", REPO).lower())
        self.assertFalse(self.snapshot().exists())
        for option, value in (("--connections", "0"), ("--connections", "17"), ("--rate-limit", "fast")):
            self.assertIn(option, self.fails(2, "download", REPO, option, value))
        self.fails(2, "download")

    def test_a_mirror_of_the_configuration(self):
        config = self.root / "config"
        (config / "vitalis").mkdir(parents=True)
        (config / "vitalis" / "config.toml").write_text(
            f"[hub]\nendpoint = '{self.variables.pop('HF_ENDPOINT')}'\n"
            f"ca_file = '{self.variables.pop('SSL_CERT_FILE')}'\ncache_dir = '{self.root}/models'\n")
        self.variables["XDG_CONFIG_HOME"] = str(config)
        self.assertTrue(self.succeeds("download", REPO).startswith(f"{self.root}/models/"))

    def test_a_folders_file_sends_nothing_elsewhere(self):
        (self.root / "vitalis.toml").write_text("[hub]\nendpoint = 'https://example.org'\n")
        before = os.getcwd()
        os.chdir(self.root)
        self.addCleanup(os.chdir, before)
        self.assertIn("hub.endpoint", self.fails(1, "download", REPO))


class Slow(HubProgram):
    hub_arguments = ("--rate", "2000000")

    def popen(self, *arguments):
        return subprocess.Popen([PROGRAM, *arguments], env={**os.environ, **self.variables},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_control_c_and_on(self):
        process = self.popen("download", REPO)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        said, told = process.communicate(timeout=TIMEOUT)
        self.assertEqual((process.returncode, said), (130, b""), told)
        self.assertIn(b"goes on from there", told)
        self.assertFalse(self.snapshot().exists())
        self.succeeds("download", REPO)
        self.check_files(self.snapshot())

    def test_killed_and_on(self):
        for _ in range(3):
            process = self.popen("download", REPO)
            time.sleep(0.7)
            process.kill()
            process.communicate()
        self.succeeds("download", REPO)
        self.check_files(self.snapshot())

    def test_two_at_once(self):
        first, second = self.popen("download", REPO), self.popen("download", REPO)
        for process in (first, second):
            said, told = process.communicate(timeout=TIMEOUT)
            self.assertEqual((process.returncode, said.decode()), (0, f"{self.snapshot()}\n"), told)
        self.check_files(self.snapshot())

    def test_progress_on_a_terminal(self):
        terminal = Terminal("download", REPO, home=str(self.home), **self.variables)
        self.addCleanup(terminal.kill)
        terminal.wait_for(r"4 of 6 files, 11\.5 MB: 11\.5 MB to fetch")
        terminal.wait_for(r"\d+%  model\.safetensors  [\d.]+ .?B of 11\.4 MB")
        terminal.wait_for(r"\d+%  [\d.]+ .B of 11\.5 MB, [\d.]+ .B/s, \d+:\d\d left")
        terminal.wait_for(r"model\.safetensors  11\.4 MB, verified")
        self.assertEqual(terminal.exit_code(), 0)
        self.assertTrue(terminal.heard.endswith(f"{self.snapshot()}\r\n".encode()))


if __name__ == "__main__":
    unittest.main()
