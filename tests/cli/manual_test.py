# SPDX-License-Identifier: Apache-2.0
"""The man page and the shells' completions name the commands and options that --help does, and no others."""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from program import Program

CLI = Path(os.environ["VITALIS_SOURCE_DIR"]) / "examples" / "cli"
OPTION = re.compile(r"--[a-z][a-z-]*")


def read(name):
    return (CLI / name).read_text(encoding="utf-8")


class Manual(Program):
    def setUp(self):
        text = self.succeeds("--help")
        self.commands = re.findall(r"^  ([a-z]+) ", text[text.index("Subcommands:"):], re.M)
        self.top = set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", text, re.M))
        self.options = {command: set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)",
                                                self.succeeds(command, "--help"), re.M))
                        for command in self.commands}
        self.assertIn("--version", self.top)
        self.assertIn("--tools", self.options["run"])

    def all_options(self):
        return self.top.union(*self.options.values())

    def test_man_page(self):
        page = read("vitalis.1")
        options = page[page.index(".SH OPTIONS"):page.index(".SH CHAT")].replace("\\-", "-")
        tags = re.findall(r"^\.TP\n(.*)$", options, re.M)
        self.assertEqual({name for tag in tags for name in OPTION.findall(tag)}, self.all_options())
        commands = page[page.index(".SH COMMANDS"):page.index(".SH OPTIONS")]
        self.assertEqual(re.findall(r"^\.TP\n\.B (.*)$", commands, re.M), self.commands)

    def test_man_page_is_well_formed(self):
        if shutil.which("groff") is None:
            self.skipTest("no groff")
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", CLI / "vitalis.1"],
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def complete_in_bash(self, *words):
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_vitalis; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(
            ["bash", "-c", script, "bash", CLI / "completions" / "vitalis.bash", "vitalis", *words],
            capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def complete_in_fish(self, *words):
        script = 'source $argv[1]; complete -C "$argv[2]"'
        done = subprocess.run(
            ["fish", "--no-config", "-c", script, CLI / "completions" / "vitalis.fish",
             " ".join(("vitalis", *words))], capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return {line.split("\t")[0] for line in done.stdout.splitlines()}

    def check_completions(self, complete):
        self.assertLessEqual(set(self.commands), complete(""))
        self.assertEqual(complete("--"), self.top)
        for command, options in self.options.items():
            self.assertEqual(complete(command, "--"), options, command)
        for option, value in (("--tier", "avx2"), ("--effort", "low")):
            self.assertIn(value, complete("run", option, ""))

    def test_bash(self):
        if shutil.which("bash") is None:
            self.skipTest("no bash")
        self.check_completions(self.complete_in_bash)

    def test_fish(self):
        if shutil.which("fish") is None:
            self.skipTest("no fish")
        self.check_completions(self.complete_in_fish)

    def test_options_in_the_text_of_each_completion(self):
        """Also where the shell is not installed."""
        for name, pattern in (("vitalis.bash", OPTION), ("_vitalis", OPTION),
                              ("vitalis.fish", re.compile(r"(?<= -l )[a-z-]+"))):
            found = {word if word.startswith("--") else "--" + word
                     for word in pattern.findall(read(f"completions/{name}"))}
            self.assertEqual(found, self.all_options(), name)
            for command in self.commands:
                self.assertRegex(read(f"completions/{name}"), rf"\b{command}\b")

    def test_zsh_reads_its_completion(self):
        if shutil.which("zsh") is None:
            self.skipTest("no zsh")
        subprocess.run(["zsh", "-n", CLI / "completions" / "_vitalis"], check=True)


if __name__ == "__main__":
    unittest.main()
