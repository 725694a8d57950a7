# SPDX-License-Identifier: Apache-2.0
"""vitalis.Hub against a hub of these tests."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import vitalis
from tiny import PATH

REPO = "openai/gpt-oss-20b"


class HubTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.source = self.root / "source"
        shutil.copytree(PATH, self.source)
        self.server = subprocess.Popen([os.environ["VITALIS_MOCK_HUB"], "--token", "good-token"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.communicate)
        self.endpoint, self.ca_file = self.server.stdout.readline().split()
        self.first = self.commit()
        self.hub = self.open()

    def commit(self):
        self.server.stdin.write(f"commit {REPO}={self.source}\n")
        self.server.stdin.flush()
        return self.server.stdout.readline().split()[1]

    def open(self, **options):
        hub = vitalis.Hub(**{"endpoint": self.endpoint, "ca_file": self.ca_file,
                             "cache_folder": self.root / "hub",
                             "token_path": self.root / "token", **options})
        self.addCleanup(hub.close)
        return hub

    def test_download(self):
        with self.assertRaises(vitalis.NotFoundError):
            self.hub.locate("gpt-oss-20b")
        transfer = self.hub.download("gpt-oss-20b")
        self.assertEqual(transfer.plan["commit"], self.first)
        last = None
        for last in transfer:
            self.assertLessEqual(last.bytes_verified, last.bytes_total)
        self.assertEqual((last.stage, last.bytes_verified), ("done", last.bytes_total))
        self.assertEqual(transfer.notices, [])
        self.assertTrue(all(x["done"] for x in last.files))
        folder = self.hub.locate("gpt-oss-20b")["folder"]
        self.assertEqual(folder, transfer.folder)
        with vitalis.Model(folder) as model:
            self.assertTrue(model.tokenize("Hi"))
        self.assertEqual([x["repo"] for x in self.hub.models()], [REPO])
        self.assertEqual([x["action"] for x in self.hub.log(REPO)], ["download"])
        self.assertIn("README.md", [x["path"] for x in self.hub.list_files(REPO)["files"]])

    def test_certificates_of_a_wheel(self):
        # Its libcurl was built elsewhere: what this system trusts is looked up, if nothing is given.
        def open_found(is_bundled=True, ca_file=None):
            with mock.patch("vitalis.hub.is_bundled", is_bundled):
                return self.open(ca_file=ca_file)

        def trusted(cafile):
            return mock.Mock(return_value=mock.Mock(cafile=cafile, capath=None))

        paths = "ssl.get_default_verify_paths"
        with mock.patch.dict(os.environ), mock.patch(paths, trusted(self.ca_file)):
            for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
                os.environ.pop(name, None)
            self.assertTrue(open_found().list_files(REPO)["files"])
            with self.assertRaises(vitalis.NetworkError):  # not with an installed library
                open_found(is_bundled=False).list_files(REPO)
            empty = self.root / "empty.pem"
            empty.touch()
            with self.assertRaises(vitalis.VitalisError):  # what is given goes first
                open_found(ca_file=empty).list_files(REPO)
            os.environ["SSL_CERT_FILE"] = str(empty)
            with self.assertRaises(vitalis.VitalisError):
                open_found().list_files(REPO)
            del os.environ["SSL_CERT_FILE"]
            bundles = ("/no/such/bundle.pem", self.ca_file)
            with mock.patch(paths, trusted(None)), mock.patch("vitalis.hub._BUNDLES", bundles):
                self.assertTrue(open_found().list_files(REPO)["files"])
            with mock.patch.dict(sys.modules, {"ssl": None}), \
                    mock.patch("vitalis.hub._BUNDLES", bundles):
                self.assertTrue(open_found().list_files(REPO)["files"])

    def test_selection(self):
        local = self.root / "local"
        self.hub.download(REPO, local_folder=local, include=["*.json"], exclude=["gen*"]).run()
        self.assertEqual(sorted(x.name for x in local.iterdir()),
                         [".cache", "config.json", "tokenizer.json"])
        with self.assertRaises(vitalis.DeniedError):
            self.hub.download(REPO, pin="a" * 40)
        with self.assertRaises(vitalis.MalformedError):
            self.hub.download(REPO, manifest={"schema": 1})

    def test_cancel_from_another_thread(self):
        hub = self.open(rate_limit=1_000_000)
        transfer = hub.download(REPO)
        threading.Timer(0.5, transfer.cancel).start()
        stages = [x.stage for x in transfer]
        self.assertEqual(stages[-1], "cancelled")
        self.hub.download(REPO).run()

    def test_update_and_rollback(self):
        self.hub.download(REPO).run()
        self.assertFalse(self.hub.check(REPO)["is_new"])
        with open(self.source / "generation_config.json", "a", encoding="utf-8") as file:
            file.write("\n")
        second = self.commit()
        found = self.hub.check(REPO, policy="config-only")
        self.assertEqual((found["to"], found["action"]), (second, "install"))
        self.hub.update().run()
        self.assertEqual(self.hub.locate(REPO)["commit"], self.first)
        self.hub.activate(REPO, second)
        self.assertEqual(self.hub.locate(REPO)["commit"], second)
        self.assertEqual(self.hub.rollback(REPO), self.first)
        self.hub.pin(REPO, self.first)
        self.assertTrue(self.hub.check(REPO)["pinned"])
        self.hub.pin(REPO, None)
        self.assertGreater(self.hub.prune(keep=0, dry_run=True)["files"], 0)
        self.assertGreater(self.hub.remove(REPO)["bytes"], 10_000_000)
        self.assertEqual(self.hub.models(), [])

    def test_sign_in(self):
        with self.assertRaises(vitalis.DeniedError):
            self.hub.whoami()
        with self.assertRaises(vitalis.DeniedError) as caught:
            self.hub.login("wrong-token")
        self.assertNotIn("wrong-token", str(caught.exception))
        self.assertEqual(self.hub.login("good-token", "work")["name"], "person")
        self.assertEqual(self.hub.whoami()["name"], "person")
        self.assertEqual([(x["name"], x["active"]) for x in self.hub.tokens()], [("work", True)])
        self.assertNotIn("good-token", str(self.hub.tokens()))
        with self.assertRaises(vitalis.InvalidArgumentError):
            self.hub.poll_login()
        with self.assertRaises(vitalis.InvalidArgumentError):
            self.hub.begin_login("")
        with self.assertRaises(vitalis.DeniedError):
            self.hub.begin_login("an-application")  # which this hub does not know
        self.hub.switch("work")
        self.hub.logout("work")
        self.assertEqual(self.hub.tokens(), [])

    def test_mistakes(self):
        with self.assertRaises(vitalis.NetworkError):
            self.open(offline=True).list_files(REPO)
        with self.assertRaises(vitalis.InvalidArgumentError):
            self.open(endpoint="http://example.org")
        for options in ({"connections": -1}, {"connections": 17}, {"retries": 2**32}):
            with self.assertRaises(ValueError):
                self.open(**options)
        with self.assertRaises(ValueError):
            self.hub.check(REPO, policy="never")
        with self.assertRaises(ValueError):
            self.hub.locate("a\0b")
        with self.assertRaises(vitalis.NotFoundError):
            self.hub.list_files("acme/absent")
        self.hub.close()
        with self.assertRaises(ValueError):
            self.hub.models()


if __name__ == "__main__":
    unittest.main()
