# SPDX-License-Identifier: Apache-2.0
"""vitalis render, parse and tokenize, which need no weights; the compiled tokenizer; the examples of
docs/cli.md."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from program import MODEL, PROGRAM, TIMEOUT, Program

TOKENIZER = os.path.join(MODEL, "tokenizer.json")
SYSTEM = ("<|start|>system<|message|>You are ChatGPT, a large language model trained by OpenAI.\n"
          "Knowledge cutoff: 2024-06\nCurrent date: 2026-01-31\n\nReasoning: medium\n\n"
          "# Valid channels: analysis, commentary, final. Channel must be included for every message.<|end|>")
TURN = {"messages": [{"role": "user", "content": "Hi <|end|>"},
                     {"role": "assistant", "thinking": "A greeting.", "content": "Hello!"}]}
ANSWER = ("<|channel|>analysis<|message|>Think.<|end|><|start|>assistant<|channel|>commentary "
          "to=functions.f <|constrain|>json<|message|>{\"a\": \"🦊\"}<|call|>")


class Render(Program):
    def render(self, request, *options):
        said = self.succeeds("render", TOKENIZER, "--date", "2026-01-31", *options,
                             stdin=json.dumps(request).encode())
        self.assertTrue(said.endswith("\n"))
        return said[:-1]

    def test_chat_and_modes(self):
        user = "<|start|>user<|message|>Hi <|end|><|end|>"
        final = "<|start|>assistant<|channel|>final<|message|>Hello!<|end|>"
        thought = "<|start|>assistant<|channel|>analysis<|message|>A greeting.<|end|>"
        self.assertEqual(self.render(TURN), SYSTEM + user + final + "<|start|>assistant")
        self.assertEqual(self.render(TURN, "--mode", "conversation"), SYSTEM + user + final)
        self.assertEqual(self.render(TURN, "--mode", "conversation", "--keep-analysis"),
                         SYSTEM + user + thought + final)
        self.assertTrue(self.render(TURN, "--mode", "training").endswith("Hello!<|return|>"))

    def test_responses_and_harmony(self):
        chat = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]}
        text = self.render(chat)
        self.assertIn("# Instructions\n\nBe brief.", text)
        self.assertEqual(self.render({"input": "Hi", "instructions": "Be brief."}, "--form", "responses"),
                         text)
        self.assertEqual(self.render({"messages": [{"role": "user", "content": "Hi"}]}, "--form", "harmony"),
                         "<|start|>user<|message|>Hi<|end|><|start|>assistant")

    def test_ids_are_those_of_the_text_and_typed_tokens_stay_text(self):
        ids = [int(x) for x in self.render(TURN, "--ids").split()]
        end = json.loads(self.succeeds("tokenize", MODEL, "--special", "--json", "<|end|>"))["tokens"][0]["id"]
        self.assertEqual(ids.count(end), 3)  # and not a fourth, that the user typed
        typed = [int(x) for x in self.render(TURN, "--ids", "--template").split()]
        self.assertEqual(typed.count(end), 4)  # the template's hole

    def test_template(self):
        text = self.render({"messages": [{"role": "user", "content": "Hi"}]}, "--template")
        self.assertEqual(text, SYSTEM + "<|start|>user<|message|>Hi<|end|><|start|>assistant")
        self.assertFalse(self.render({"messages": [{"role": "user", "content": "Hi"}]}, "--template",
                                     "--mode", "conversation").endswith("assistant"))
        self.fails(2, "render", MODEL, "--template", "--form", "harmony", stdin=b"{}")
        self.fails(2, "render", MODEL, "--template", "--keep-analysis", stdin=b"{}")

    def test_errors_name_the_place(self):
        for request, form, place in (
                ('{"messages": [{"role": "user", "content": "a"}, {"role": "bogus"}]}', "chat",
                 "messages[1].role"),
                ('{"messages": [], "tools": [{"type": "function"}]}', "chat", "tools[0]"),
                ('{"input": [{"role": "user", "content": 7}]}', "responses", "input[0]"),
                ('{"messages": [{"role": "tool", "content": "x"}]}', "harmony", "messages[0]"),
                ("{", "chat", "JSON"), ("", "chat", "JSON")):
            message = self.fails(1, "render", MODEL, "--form", form, stdin=request.encode())
            self.assertIn(place, message)
        self.assertIn("/nowhere/x", self.fails(1, "render", MODEL, "/nowhere/x"))
        self.assertIn("UTF-8", self.fails(1, "render", MODEL, stdin=b'{"messages": "\xff"}'))
        for option in ("--form", "--mode"):
            self.assertIn(option, self.fails(2, "render", MODEL, option, "bogus", stdin=b"{}"))


class Parse(Program):
    def ids(self, text):
        said = json.loads(self.succeeds("tokenize", MODEL, "--special", "--json", "--", text))
        return [x["id"] for x in said["tokens"]]

    def parse(self, text, *options):
        return json.loads(self.succeeds("parse", TOKENIZER, *options, stdin=text.encode()))

    def test_messages_of_ids_in_any_spelling(self):
        ids = self.ids(ANSWER)
        said = self.parse(ANSWER, "--text")
        self.assertEqual(said["diagnostics"], [])
        thought, call = said["messages"]
        self.assertEqual((thought["role"], thought["channel"], thought["content"]),
                         ("assistant", "analysis", "Think."))
        self.assertEqual((call["recipient"], call["channel"], call["content_type"], call["content"]),
                         ("functions.f", "commentary", "<|constrain|>json", '{"a": "🦊"}'))
        self.assertEqual(thought["tokens"], [0, ids.index(self.ids("<|end|>")[0]) + 1])
        self.assertEqual(call["tokens"], [thought["tokens"][1], len(ids)])
        for spelling in (" ".join(map(str, ids)), json.dumps(ids), "\n".join(map(str, ids)) + "\n",
                         ",".join(map(str, ids)), "[\n  " + ",\r\n  ".join(map(str, ids)) + "\n]\n"):
            self.assertEqual(self.parse(spelling), said)
            self.assertEqual(self.parse(spelling, "--policy", "strict"), said)

    def test_what_is_no_id(self):
        for text, found in (("1 two 3", '"t" at byte 2'), ("1 -2", '"-" at byte 2'), ("12 é", '"é" at byte 3'),
                            ("1 99999999999", "99999999999 at byte 2"), ("1.5", '"." at byte 1')):
            self.assertIn(found, self.fails(1, "parse", MODEL, stdin=text.encode()))

    def test_repairs(self):
        said = self.parse("<|channel|>final<|message|>Hello<|start|>assistant<|channel|>final<|message|>you",
                          "--text")
        self.assertEqual([x["content"] for x in said["messages"]], ["Hello", "you"])
        self.assertEqual([x["complete"] for x in said["messages"]], [False, False])
        self.assertEqual([x["code"] for x in said["diagnostics"]], ["missing_end_token", "truncated"])
        self.assertEqual(self.parse(""), {"messages": [], "diagnostics": []})

    def test_strict_errors(self):
        for text, messages, problem in (
                ("<|channel|>final<|message|>Hi<|end|>oops", 1, "expect_start"),
                ("<|channel|>final x y z<|message|>Hi<|return|>", 0, "header_extra"),
                ("<|channel|>final", 0, "header_eos")):
            done = self.start("parse", MODEL, "--text", "--policy", "strict", stdin=text.encode())
            said = json.loads(done.stdout)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(len(said["messages"]), messages)
            self.assertRegex(said["error"], rf"\Atoken \d+: {problem}\Z")
            self.assertEqual(done.stderr.decode(), f"vitalis: {said['error']}\n")
            self.parse(text, "--text")  # what the default policy takes
        self.fails(2, "parse", MODEL, "--policy", "bogus", stdin=b"1")

    def test_from_the_start(self):
        said = self.parse("<|start|>user<|message|>Hi<|end|>", "--text", "--from-start")
        self.assertEqual([(x["role"], x["content"]) for x in said["messages"]], [("user", "Hi")])
        self.assertEqual(said["diagnostics"], [])

    def test_render_then_parse(self):
        prompt = self.succeeds("render", MODEL, "--ids", "--mode", "conversation",
                               stdin=json.dumps(TURN).encode())
        said = self.parse(prompt, "--from-start", "--policy", "strict")
        self.assertEqual([x["content"] for x in said["messages"][1:]], ["Hi <|end|>", "Hello!"])


class WithoutWeights(Program):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.model = os.path.join(self.folder, "model")
        self.home = os.path.join(self.folder, "home")
        os.mkdir(self.model)
        os.mkdir(self.home)
        shutil.copy(TOKENIZER, self.model)

    def tokenize(self, **environment):
        kept = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        done = self.start("tokenize", self.model, "Hello 你好 🦊", env={"HOME": self.home, **kept, **environment})
        self.assertEqual((done.returncode, done.stderr), (0, b""), done)
        return done.stdout

    def files(self):
        return sorted(os.path.relpath(os.path.join(at, name), self.folder)
                      for at, _, names in os.walk(self.folder) for name in names)

    def test_a_file_a_folder_and_original(self):
        original = os.path.join(self.model, "original")
        os.mkdir(original)
        said = self.succeeds("tokenize", MODEL, "Hello")
        for path in (self.model, os.path.join(self.model, "tokenizer.json"), original):
            self.assertEqual(self.succeeds("tokenize", path, "Hello"), said)
        os.unlink(os.path.join(self.model, "tokenizer.json"))
        self.assertIn("tokenizer.json", self.fails(1, "tokenize", self.model, "Hello"))

    def test_the_compiled_form_is_made_used_and_replaced(self):
        cache = os.path.join(self.folder, "cache")
        said = self.tokenize(XDG_CACHE_HOME=cache)
        compiled, source = self.files()
        self.assertRegex(compiled, r"\Acache/vitalis/tokenizer-[0-9a-f]{16}\.vitalis\Z")
        self.assertEqual(source, "model/tokenizer.json")
        path = os.path.join(self.folder, compiled)
        os.utime(path, (1, 1))
        self.assertEqual(self.tokenize(XDG_CACHE_HOME=cache), said)
        self.assertEqual(os.stat(path).st_mtime, 1)  # read, not written
        with open(path, "rb") as file:
            good = file.read()
        half = len(good) // 2
        for bad in (b"", good[:half], good[:half] + bytes([good[half] ^ 1]) + good[half + 1:],
                    b"\0" * len(good)):
            with open(path, "wb") as file:
                file.write(bad)
            self.assertEqual(self.tokenize(XDG_CACHE_HOME=cache), said)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), good)
        self.assertEqual(self.files(), [compiled, source])

    def test_where_it_is_kept(self):
        said = self.tokenize(XDG_CACHE_HOME="relative")  # no place, by the XDG rules
        self.assertEqual(len(self.files()), 2)
        self.assertTrue(self.files()[0].startswith("home/.cache/vitalis/"), self.files())
        shutil.rmtree(os.path.join(self.home, ".cache"))
        self.assertEqual(self.tokenize(HOME=""), said)
        self.assertEqual(self.files(), ["model/tokenizer.json"])
        # A place that cannot be written is no error.
        self.assertEqual(self.tokenize(XDG_CACHE_HOME=os.path.join(self.model, "tokenizer.json")), said)
        self.assertEqual(self.files(), ["model/tokenizer.json"])


class Documentation(Program):
    """Each `$ command` in a console block of docs/cli.md prints what follows it."""

    def test_examples(self):
        source = os.path.abspath(os.path.join(MODEL, "..", "..", ".."))
        with open(os.path.join(source, "docs", "cli.md"), encoding="utf-8") as file:
            blocks = re.findall(r"^```console\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)
        examples = [x for block in blocks for x in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
        self.assertGreaterEqual(len(examples), 5)
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(PROGRAM, os.path.join(folder, "vitalis"))
            environment = {**os.environ, "PATH": folder + os.pathsep + os.environ["PATH"]}
            for example in examples:
                command, expected = example.split("\n", 1)
                done = subprocess.run(["sh", "-c", command], cwd=source, env=environment, check=False,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT)
                self.assertEqual(done.stdout.decode(), expected, command)


if __name__ == "__main__":
    unittest.main()
