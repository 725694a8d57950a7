# SPDX-License-Identifier: Apache-2.0
"""Bad input: each is one clear sentence and a code that is not zero, with nothing on standard output."""

import json
import os
import shutil
import struct
import tempfile
import unittest

from program import MODEL, Program

QUESTION = "What is 2 + 2?"


class CommandLine(Program):
    def test_unknown_options_and_commands(self):
        self.assertIn("--bogus", self.fails(2, "run", MODEL, QUESTION, "--bogus"))
        self.fails(2, "--bogus")
        self.assertIn("extra", self.fails(2, "run", MODEL, QUESTION, "extra"))
        self.fails(2)
        self.fails(2, "bogus")
        self.fails(2, "run")
        self.assertIn("prompt", self.fails(2, "run", MODEL))

    def test_numbers(self):
        for option, *values in (("--threads", "0", "-1", "x", "1.5", "99999999999", ""),
                                ("--context", "0", "-5", "4294967296", "12k"),
                                ("--temperature", "-0.1", "nan", "inf", "hot", "1e99"),
                                ("--top-p", "0", "1.01", "nan"), ("--min-p", "-1", "1.5"),
                                ("--top-k", "-1", "many"), ("--max-tokens", "0", "-3"),
                                ("--seed", "-1", "18446744073709551616"),
                                ("--repetition-penalty", "0", "-1", "nan", "101"),
                                ("--presence-penalty", "-2.1", "nan", "3"),
                                ("--frequency-penalty", "-2.1", "inf", "3"),
                                ("--logprobs", "-1", "21", "x")):
            for value in values:
                message = self.fails(2, "run", MODEL, QUESTION, f"{option}={value}")
                self.assertIn(option, message)

    def test_words(self):
        self.assertIn("low, medium or high",
                      self.fails(2, "run", MODEL, QUESTION, "--effort", "extreme"))
        self.assertIn("bogus", self.fails(1, "run", MODEL, QUESTION, "--tier", "bogus"))
        self.fails(2, "run", MODEL, QUESTION, "--instructions", "a", "--instructions-file", "b")

    def test_text_that_is_not_utf8(self):
        for bad in (b"caf\xe9", b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe4\xbd"):
            self.assertIn("UTF-8", self.fails(1, "run", MODEL, b"Hello " + bad))
            self.assertIn("UTF-8", self.fails(1, "run", MODEL, "-", stdin=b"Hello " + bad))
            self.assertIn("UTF-8", self.fails(1, "run", MODEL, QUESTION, "--instructions", bad))
            self.assertIn("UTF-8", self.fails(1, "tokenize", MODEL, "-", stdin=bad))

        self.assertIn("byte 9", self.fails(1, "run", MODEL, b"Hello caf\xe9"))

    def test_empty_prompt(self):
        self.assertIn("empty", self.fails(1, "run", MODEL, ""))
        self.assertIn("empty", self.fails(1, "run", MODEL, "-", stdin=b"\n"))

    def test_files(self):
        self.assertIn("/nowhere/x", self.fails(1, "run", MODEL, QUESTION, "--instructions-file",
                                               "/nowhere/x"))
        self.assertIn("/nowhere/y", self.fails(1, "run", MODEL, QUESTION, "--tools", "/nowhere/y"))
        self.fails(1, "run", MODEL, QUESTION, "--tools", "/")
        for bad in ("", "{", "[1]", '{"tools": 3}', '[{"type": "function"}]'):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write(bad)
                file.flush()
                self.assertIn("--tools", self.fails(1, "run", MODEL, QUESTION, "--tools", file.name))

    def test_prompt_longer_than_the_context(self):
        self.assertIn("context", self.fails(1, "run", MODEL, "word " * 300, "--context", "200"))
        self.fails(1, "run", MODEL, QUESTION, "--context", "4294967295")

    def test_answer_longer_than_the_context(self):
        done = self.start("run", MODEL, "Tell me a story about a fox named Mia.", "--context", "80",
                          "--temperature", "0")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"the answer is not complete", done.stderr)


class Checkpoint(Program):
    """Copies of vitalis-tiny, each with one thing wrong."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.model = folder.name
        for name in ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json"):
            os.symlink(os.path.join(MODEL, name), self.path(name))
        with open(self.path("model.safetensors"), "rb") as file:
            size, = struct.unpack("<Q", file.read(8))
            self.header = json.loads(file.read(size))
            self.data = file.read()

    def path(self, name):
        return os.path.join(self.model, name)

    def replace(self, name, content):
        os.unlink(self.path(name))
        with open(self.path(name), "wb") as file:
            file.write(content)

    def replace_header(self, data=None):
        header = json.dumps(self.header).encode()
        header += b" " * (-len(header) % 8)
        self.replace("model.safetensors",
                     struct.pack("<Q", len(header)) + header + (self.data if data is None else data))

    def replace_config(self, **changes):
        with open(os.path.join(MODEL, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        config.update(changes)
        self.replace("config.json", json.dumps(config).encode())

    def refused(self, *words):
        for command in (("run", self.model, QUESTION), ("info", self.model, "--json"),
                        ("chat", self.model)):
            done = self.start(*command)
            message = done.stderr.decode()
            self.assertEqual((done.returncode, done.stdout), (1, b""), done)
            self.assertTrue(message.startswith("vitalis: "), message)
            self.assertNotRegex(message, "terminate called|Sanitizer|Assertion")
            for word in words:
                self.assertIn(word, message)

    def tensor(self):
        return next(x for x in self.header if x != "__metadata__")

    def test_the_copy_is_good(self):
        self.replace_header()
        self.assertEqual(self.succeeds("run", self.model, QUESTION, "--temperature", "0"),
                         "2 + 2 = 4.\n")

    def test_missing_folder(self):
        shutil.rmtree(self.model)
        self.refused(self.model)
        os.mkdir(self.model)  # so that it can be cleaned up

    def test_missing_files(self):
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            os.rename(self.path(name), self.path("away"))
            self.refused(name)
            os.rename(self.path("away"), self.path(name))

    def test_missing_shard(self):
        os.rename(self.path("model.safetensors"), self.path("model-00000-of-00001.safetensors"))
        names = {x: "model-00000-of-00001.safetensors" for x in self.header if x != "__metadata__"}
        with open(self.path("model.safetensors.index.json"), "w", encoding="utf-8") as file:
            json.dump({"metadata": {}, "weight_map": names}, file)
        self.assertEqual(self.succeeds("run", self.model, QUESTION, "--temperature", "0"),
                         "2 + 2 = 4.\n")
        os.unlink(self.path("model-00000-of-00001.safetensors"))
        self.refused("model-00000-of-00001.safetensors")

    def test_truncated_file(self):
        self.replace_header(self.data[:len(self.data) // 2])
        self.refused("model.safetensors")
        for content in (b"", b"\x08\0\0", struct.pack("<Q", 1 << 40) + b"{}"):
            self.replace("model.safetensors", content)
            self.refused("model.safetensors")

    def test_overlapping_ranges(self):
        names = [x for x in self.header if x != "__metadata__"]
        spans = sorted(names, key=lambda x: self.header[x]["data_offsets"])
        begin, end = self.header[spans[1]]["data_offsets"]
        self.header[spans[1]]["data_offsets"] = [begin - 2, end - 2]
        self.replace_header()
        self.refused(spans[1])

    def test_wrong_shape_and_type(self):
        name = "model.norm.weight"
        self.header[name]["shape"] = [2, self.header[name]["shape"][0] // 2]
        self.replace_header()
        self.refused(name)
        self.header[name]["shape"] = [288]
        self.header[name]["dtype"] = "F16"
        self.replace_header()
        self.refused(name, "F16")
        self.header[name]["dtype"] = "\x1b[31m"
        self.replace_header()
        self.refused(name)

    def test_missing_and_unexpected_tensors_are_told_together(self):
        for old, new in (("model.norm.weight", "model.extra.weight"), ("lm_head.weight", "other")):
            self.header[new] = self.header.pop(old)
        self.replace_header()
        self.refused("model.norm.weight", "lm_head.weight", "model.extra.weight", "other")

    def test_absurd_config(self):
        for key, value in (("hidden_size", 1 << 40), ("num_hidden_layers", 0),
                           ("num_local_experts", -1), ("num_attention_heads", "four"),
                           ("vocab_size", 1e300), ("head_dim", 0)):
            self.replace_config(**{key: value})
            self.refused(key)
        for content in (b"", b"[]", b"{", b"{}", b"\xff\xff"):
            self.replace("config.json", content)
            self.refused("config.json")

    def test_tokenizer_that_is_no_bpe(self):
        for content in (b"", b"{}", b'{"model": {"type": "WordPiece", "vocab": {}}}', b"\x00" * 64):
            self.replace("tokenizer.json", content)
            self.refused("tokenizer.json")


if __name__ == "__main__":
    unittest.main()
