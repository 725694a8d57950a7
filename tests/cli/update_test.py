# SPDX-License-Identifier: Apache-2.0
"""vitalis update, rollback and models: what changed, the new version beside the old, and back."""

import json
import os
import unittest

from mock_hub import REPO, HubProgram

QUESTION = ("What is 2 + 2?", "--temperature", "0")


class Update(HubProgram):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.start("download", REPO).returncode, 0)

    def change(self, name="generation_config.json", content=None):
        path = self.source / name
        path.write_bytes(path.read_bytes() + b"\n" if content is None else content)
        self.second = self.hub.commit(self.source)

    def check(self, *options):
        lines = self.succeeds("update", REPO, "--check", "--json", *options).splitlines()
        self.assertEqual(len(lines), 1)
        return json.loads(lines[0])["check"]

    def commit_here(self):
        return next(x["commit"] for x in json.loads(self.succeeds("models", "--json"))[0]["snapshots"]
                    if "main" in x["revisions"])

    def test_nothing_new(self):
        self.assertIn("nothing new", self.succeeds("update"))
        self.assertFalse(self.check()["is_new"])

    def test_check_tells_and_installs_nothing(self):
        self.change()
        said = self.succeeds("update", "--check")
        self.assertIn("changed  generation_config.json  (config, ", said)
        check = self.check()
        self.assertEqual((check["from"], check["to"]), (self.commit, self.second))
        self.assertEqual([(x["path"], x["kind"], x["role"]) for x in check["changes"]],
                         [("generation_config.json", "changed", "config")])
        self.assertEqual(self.commit_here(), self.commit)

    def test_policies(self):
        self.change()
        self.assertIn(f"vitalis update {REPO}", self.succeeds("update"))
        for policy in ("pinned", "notify"):
            self.succeeds("update", "--policy", policy)
            self.succeeds("update", REPO, "--policy", policy)
            self.assertEqual(self.commit_here(), self.commit)
        self.succeeds("update", "--policy", "config-only")
        self.assertEqual(self.commit_here(), self.second)
        first = self.second
        self.change("model.safetensors")
        self.succeeds("update", "--policy", "config-only")
        self.assertEqual(self.commit_here(), first)
        self.assertEqual(self.check("--policy", "config-only")["action"], "tell")
        self.variables["VITALIS_UPDATE_POLICY"] = "auto"
        self.succeeds("update")
        self.assertEqual(self.commit_here(), self.second)

    def test_update_and_back(self):
        self.change()
        self.succeeds("update", "gpt-oss-20b", "--try")
        self.assertEqual(self.commit_here(), self.second)
        self.assertEqual(self.succeeds("run", "gpt-oss-20b", *QUESTION), "2 + 2 = 4.\n")
        self.hub.stop()
        self.assertEqual(self.succeeds("rollback", "gpt-oss-20b"), self.commit + "\n")
        self.assertEqual(self.commit_here(), self.commit)
        self.assertEqual(self.succeeds("run", "gpt-oss-20b", *QUESTION), "2 + 2 = 4.\n")
        self.fails(1, "rollback", "gpt-oss-20b")
        self.fails(1, "rollback", "acme/absent")
        actions = [json.loads(x)["action"]
                   for x in self.succeeds("models", "log", REPO).splitlines()]
        self.assertEqual([actions[0], actions[1], actions[-1]], ["download", "update", "rollback"])

    def test_what_was_rolled_back_is_not_offered_again(self):
        self.change()
        self.succeeds("update", REPO)
        self.succeeds("rollback", REPO)
        self.assertIn("rolled back", self.succeeds("update", REPO))
        self.assertEqual(self.commit_here(), self.commit)
        self.change()
        self.succeeds("update", REPO)
        self.assertEqual(self.commit_here(), self.second)

    def test_files_that_do_not_work_are_not_used(self):
        self.change("config.json", b"{}")
        done = self.start("update", REPO, "--try")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"the old ones stay in use", done.stderr)
        self.assertEqual(self.commit_here(), self.commit)

    def test_documents_alone(self):
        self.change("README.md")
        self.assertFalse(self.check()["matters"])
        self.succeeds("update", REPO)
        self.assertEqual(self.commit_here(), self.commit)

    def test_a_local_folder(self):
        folder = self.root / "local"
        self.succeeds("download", REPO, "--local-dir", folder)
        self.change()
        self.assertIn("installed", self.succeeds("update", str(folder)))
        self.assertEqual((folder / "generation_config.json").read_bytes(),
                         (self.source / "generation_config.json").read_bytes())
        self.assertIn("nothing new", self.succeeds("update", str(folder)))

    def test_pin(self):
        self.succeeds("models", "pin", REPO)
        self.assertIn("pinned", self.succeeds("models"))
        self.change()
        self.assertIn("unpin", self.succeeds("update", REPO))
        self.assertEqual(self.commit_here(), self.commit)
        self.assertIn(self.commit[:7], self.fails(1, "download", REPO))
        self.succeeds("models", "unpin", REPO)
        self.succeeds("update", REPO)
        self.assertEqual(self.commit_here(), self.second)

    def test_list_prune_remove(self):
        self.change()
        self.succeeds("update", REPO)
        said = self.succeeds("models")
        self.assertIn(f"{REPO}  11.", said)
        self.assertIn(f"{self.second[:12]}  11.5 MB  [main]", said)
        self.assertIn(self.commit[:12], said)
        self.succeeds("models", "prune")
        self.assertIn(self.commit[:12], self.succeeds("models"))
        self.assertIn("would free", self.succeeds("models", "prune", "--keep", "0", "--dry-run"))
        self.assertIn(self.commit[:12], self.succeeds("models"))
        self.succeeds("models", "prune", "--keep", "0")
        self.assertNotIn(self.commit[:12], self.succeeds("models"))
        self.assertEqual(self.succeeds("run", REPO, *QUESTION), "2 + 2 = 4.\n")
        self.assertIn("would free 11.", self.succeeds("models", "remove", REPO, "--dry-run"))
        self.assertIn("freed 11.", self.succeeds("models", "remove", REPO))
        self.assertEqual(self.succeeds("models"), "")
        self.fails(1, "models", "remove", REPO)

    def test_remove_one_version(self):
        self.change()
        self.succeeds("update", REPO)
        self.succeeds("models", "remove", REPO, self.commit)
        self.assertNotIn(self.commit[:12], self.succeeds("models"))
        self.assertEqual(self.succeeds("run", REPO, *QUESTION), "2 + 2 = 4.\n")

    def test_usage(self):
        for words in (("models", "remove"), ("models", "log"), ("models", "list", REPO, "x"),
                      ("models", "bogus"), ("rollback",), ("update", "--policy", "never")):
            self.fails(2, *words)
        self.fails(1, "models", "pin", "acme/absent")
        self.fails(1, "update", "acme/absent")
        self.fails(1, "models", "remove", "../..")
        self.assertTrue(os.path.isdir(self.home))


if __name__ == "__main__":
    unittest.main()
