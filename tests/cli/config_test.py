# SPDX-License-Identifier: Apache-2.0
"""Settings: the layers, what is refused, the user's file, and the page that documents them."""

import json
import os
import tempfile
import unittest
from pathlib import Path

import settings_doc
from program import MODEL, PROGRAM, Program

PAGE = Path(os.environ["VITALIS_SOURCE_DIR"]) / "docs" / "configuration.md"


class Layers(Program):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in ("system/vitalis", "user/vitalis", "work/deep"):
            (self.root / name).mkdir(parents=True)
        self.system = self.root / "system" / "vitalis" / "config.toml"
        self.user = self.root / "user" / "vitalis" / "config.toml"
        self.folder = self.root / "work" / "vitalis.toml"
        self.environment = {**os.environ, "XDG_CONFIG_DIRS": str(self.root / "system"),
                            "XDG_CONFIG_HOME": str(self.root / "user")}

    def start(self, *arguments, stdin=b"", env=None):
        before = os.getcwd()
        os.chdir(self.root / "work" / "deep")
        try:
            return super().start(*arguments, stdin=stdin, env=env or self.environment)
        finally:
            os.chdir(before)

    def settings(self):
        return {x["key"]: x for x in json.loads(self.succeeds("config", "show", "--json"))}

    def complaints(self):
        done = self.start("config", "show")
        self.assertEqual((done.returncode, done.stdout), (1, b""), done)
        return done.stderr.decode()

    def test_each_layer_replaces_the_one_before(self):
        layers = [("default", None),
                  (f"{self.system}:2", lambda: self.system.write_text("[runtime]\nthreads = 2\n")),
                  (f"{self.user}:1", lambda: self.user.write_text("runtime.threads = 3\n")),
                  (f"{self.folder}:3",
                   lambda: self.folder.write_text("schema = 1\n[runtime]\nthreads = 4 # here\n")),
                  ("VITALIS_RUNTIME_THREADS",
                   lambda: self.environment.update(VITALIS_RUNTIME_THREADS="5"))]
        for value, (origin, apply) in enumerate(layers, 1):
            if apply:
                apply()
            setting = self.settings()["runtime.threads"]
            self.assertEqual((setting["origin"], setting["value"]),
                             (origin, str(value) if apply else ""))
        self.assertIn(f"runtime.threads = 5  [{origin}]",
                      self.succeeds("config", "show", "--origin"))
        self.assertEqual(self.succeeds("config", "get", "runtime.threads"), "5\n")

    def test_options_are_strongest(self):
        self.user.write_text("[sampling]\nmax_tokens = 2\n[reasoning]\neffort = 'low'\n")
        done = self.start("run", MODEL, "What is 2 + 2?", "--temperature", "0")
        self.assertEqual(done.returncode, 3, done)
        self.assertEqual(self.succeeds("run", MODEL, "What is 2 + 2?", "--temperature", "0",
                                       "--max-tokens", "200"), "2 + 2 = 4.\n")

    def test_settings_reach_the_model(self):
        self.user.write_text("[sampling]\ntemperature = 0.0\n[reasoning]\nshow = true\n"
                             "[runtime]\ncontext = 300\n")
        self.assertTrue(self.succeeds("run", MODEL, "What is 2 + 2?").startswith("[analysis] "))
        self.assertEqual(self.succeeds("run", MODEL, "What is 2 + 2?", "--show-reasoning=false"),
                         "2 + 2 = 4.\n")
        self.assertEqual(json.loads(self.succeeds("info", MODEL, "--json"))["memory"]["context"], 300)
        self.user.write_text("[runtime]\ntier = 'bogus'\n")
        self.assertIn("bogus", self.fails(1, "info", MODEL))

    def test_other_programs_variables(self):
        self.environment["VITALIS_ISA"] = "portable"
        self.assertEqual(self.settings()["runtime.tier"]["origin"], "VITALIS_ISA")
        self.environment["VITALIS_RUNTIME_TIER"] = "avx2"
        self.assertEqual(self.settings()["runtime.tier"]["value"], "avx2")

    def test_unknown_names(self):
        self.user.write_text("# one\n[runtime]\nthread = 4\n\n[smpling]\nseed = 1\n")
        told = self.complaints().splitlines()
        self.assertEqual(len(told), 2)
        self.assertTrue(told[0].startswith(f"vitalis: {self.user}:3: "), told)
        self.assertIn('"runtime.threads"', told[0])
        self.assertTrue(told[1].startswith(f"vitalis: {self.user}:6: "), told)
        self.assertIn('"sampling.seed"', told[1])
        self.user.unlink()
        self.environment["VITALIS_RUNTIME_THREAD"] = "4"
        self.assertIn('VITALIS_RUNTIME_THREAD: there is no setting "runtime.thread"; the nearest is '
                      '"runtime.threads"', self.complaints())

    def test_bad_values(self):
        for text, place in (("[runtime]\nthreads = 0", "2: runtime.threads: expected a number, 1 to 1024"),
                            ("[runtime]\nthreads = '4'", "2: runtime.threads: expected"),
                            ("[runtime]\nthreads = [4]", "2: runtime.threads: expected"),
                            ("[runtime]\nthreads = 2020-01-01", "2: runtime.threads: expected"),
                            ("sampling.temperature = inf", "1: sampling.temperature: expected"),
                            ("sampling.temperature = -1", "1: sampling.temperature: expected"),
                            ("[reasoning]\neffort = 'huge'", "low, medium or high"),
                            ("runtime = 3", "1: runtime: expected a section"),
                            ("[runtime.threads]\nx = 1", "runtime.threads"),
                            ("schema = 2", "1: schema: expected 1"),
                            ("[runtime", "1: "), ("a = 1\na = 2", "2: "), ("\xff", "1: "),
                            ("a.b.c.d.e.f.g.h.i.j.k = 1", "a.b"), ("x = " + "[" * 5000, "1: ")):
            self.user.write_bytes(text.encode("latin-1"))
            told = self.complaints()
            self.assertIn(f"{self.user}:", told)
            self.assertIn(place, told)
            self.assertNotRegex(told, "terminate called|Sanitizer|Assertion")
        self.user.unlink()
        self.user.mkdir()
        self.assertIn(str(self.user), self.complaints())
        self.user.rmdir()
        self.environment["VITALIS_RUNTIME_THREADS"] = "many"
        self.assertIn('VITALIS_RUNTIME_THREADS: expected a number, 1 to 1024, found "many"',
                      self.complaints())

    def test_commands_without_settings_do_not_care(self):
        self.user.write_text("bogus = 1\n")
        self.succeeds("tokenize", MODEL, "Hi")
        self.succeeds("--help")
        self.succeeds("config", "path")

    def test_a_folders_file_that_others_may_write(self):
        self.folder.write_text("[runtime]\nthreads = 4\n")
        self.folder.chmod(0o666)
        self.assertEqual(self.settings()["runtime.threads"]["origin"], "default")
        self.assertIn(f"{self.folder}  [folder, not read: others may write it]",
                      self.succeeds("config", "path"))
        if os.geteuid() == 0:
            self.folder.chmod(0o644)
            os.chown(self.folder, 12345, -1)
            self.assertEqual(self.settings()["runtime.threads"]["origin"], "default")
        states = {x["layer"]: x["state"] for x in json.loads(self.succeeds("config", "path", "--json"))}
        self.assertEqual(states["user"], "absent")

    def test_no_home(self):
        self.environment.pop("XDG_CONFIG_HOME")
        self.environment["HOME"] = ""
        self.succeeds("config", "show")
        self.assertIn("HOME", self.fails(1, "config", "set", "runtime.threads", "1"))

    def test_set(self):
        self.user.parent.rmdir()
        self.succeeds("config", "set", "sampling.seed", "5")
        self.assertEqual(self.user.read_text(), "[sampling]\nseed = 5\n")
        self.user.write_text("# ü mine\n[sampling] # s\nseed = 3 # three\n\n[reasoning]\n"
                             "effort = 'löw' # wrong\n")
        self.user.chmod(0o600)
        self.succeeds("config", "set", "sampling.seed", "17")
        self.succeeds("config", "set", "sampling.top_k", "4")
        self.succeeds("config", "set", "reasoning.effort", "high")
        self.succeeds("config", "set", "runtime.tier", 'a"\\ü')
        self.assertEqual(self.user.read_text(),
                         "# ü mine\n[sampling] # s\ntop_k = 4\nseed = 17 # three\n\n[reasoning]\n"
                         'effort = "high" # wrong\n\n[runtime]\ntier = "a\\"\\\\ü"\n')
        self.assertEqual(self.user.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.settings()["runtime.tier"]["value"], 'a"\\ü')
        self.assertEqual(os.listdir(self.user.parent), ["config.toml"])

    def test_set_through_a_link(self):
        real = self.root / "real.toml"
        real.write_text("")
        self.user.symlink_to(real)
        self.succeeds("config", "set", "runtime.threads", "2")
        self.assertTrue(self.user.is_symlink())
        self.assertIn("threads = 2", real.read_text())

    def test_set_leaves_a_file_that_it_cannot_change_rightly(self):
        for text in ("sampling = { seed = 3 }\n", "[sampling\n"):
            self.user.write_text(text)
            self.fails(1, "config", "set", "sampling.top_k", "3")
            self.assertEqual(self.user.read_text(), text)
        self.user.write_text("sampling.seed = 3\n")
        self.succeeds("config", "set", "sampling.seed", "4")
        self.assertEqual(self.user.read_text(), "sampling.seed = 4\n")
        self.fails(1, "config", "set", "sampling.seed", "x")
        self.assertIn('"sampling.seed"', self.fails(1, "config", "set", "sampling.sed", "1"))
        self.assertEqual(self.user.read_text(), "sampling.seed = 4\n")

    def test_usage(self):
        for words in (("get",), ("set", "a"), ("show", "a"), ("get", "a", "b"), ("bogus",)):
            self.fails(2, "config", *words)
        self.assertIn("nearest", self.fails(1, "config", "get", "sampling.sed"))


class Page(Program):
    def test_lists_the_settings(self):
        text = PAGE.read_text(encoding="utf-8")
        settings = json.loads(self.succeeds("config", "show", "--json"))
        self.assertEqual(settings_doc.with_table(text, settings), text,
                         f"python3 tests/cli/settings_doc.py {PROGRAM} docs/configuration.md")

    def test_help_tells_defaults(self):
        told = " ".join(" ".join(self.succeeds(command, "--help").split())
                        for command in ("run", "auth", "download", "update", "models"))
        for setting in json.loads(self.succeeds("config", "show", "--json")):
            if setting["flag"] and setting["type"] != "boolean":
                self.assertIn(setting["flag"], told)
                self.assertIn(f"{setting['help']} (default: {setting['default']})", told)


if __name__ == "__main__":
    unittest.main()
