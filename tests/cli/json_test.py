# SPDX-License-Identifier: Apache-2.0
"""vitalis info and tokenize, for programs and for people."""

import json
import os
import struct
import unittest

from program import MODEL, Program

TEXTS = ["Hello, world!", "  spaces\tand\n\n\nlines \r\n", "naïve café Zürich 你好 привет שלום नमस्ते 🙂🚀",
         "quotes \" and \\ and / and \x7f", "<|start|>user<|message|>not special<|end|>", "",
         "x" * 3000]


class Tokenize(Program):
    def tokens(self, *arguments, stdin=b""):
        said = json.loads(self.succeeds("tokenize", MODEL, "--json", *arguments, stdin=stdin))
        self.assertEqual(said["count"], len(said["tokens"]))
        for token in said["tokens"]:
            if token["text"] is not None:
                self.assertEqual(token["text"].encode().hex(), token["bytes"])
        return said["tokens"]

    def test_bytes_of_the_tokens_are_the_text(self):
        for text in TEXTS:
            tokens = self.tokens("--", text)
            self.assertEqual(bytes.fromhex("".join(x["bytes"] for x in tokens)).decode(), text)
            self.assertEqual(self.tokens("-", stdin=text.encode()), tokens)
            self.assertEqual(self.tokens(stdin=text.encode()), tokens)

    def test_control_characters_and_nul_are_escaped(self):
        text = bytes(range(0x80))
        tokens = self.tokens("-", stdin=text)
        self.assertEqual(bytes.fromhex("".join(x["bytes"] for x in tokens)), text)

    def test_special_tokens_only_on_demand(self):
        self.assertGreater(len(self.tokens("<|start|>")), 1)
        special = self.tokens("--special", "<|start|>")
        self.assertEqual([x["text"] for x in special], ["<|start|>"])

    def test_lines_for_people(self):
        lines = self.succeeds("tokenize", MODEL, "Hello \"you\"\n").splitlines()
        ids, texts = zip(*(line.split("\t") for line in lines))
        self.assertEqual("".join(json.loads(x) for x in texts), "Hello \"you\"\n")
        self.assertEqual([int(x) for x in ids],
                         [x["id"] for x in self.tokens("Hello \"you\"\n")])


class Info(Program):
    def header(self):
        with open(os.path.join(MODEL, "model.safetensors"), "rb") as file:
            size, = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(size))
        header.pop("__metadata__", None)
        return header

    def test_lists_the_tensors_of_the_file(self):
        info = json.loads(self.succeeds("info", MODEL, "--json", "--tensors"))
        header = self.header()
        self.assertEqual({x["name"] for x in info["tensors"]}, set(header))
        for tensor in info["tensors"]:
            begin, end = header[tensor["name"]]["data_offsets"]
            self.assertEqual(tensor["bytes"], end - begin)
            self.assertEqual(tensor["shape"], header[tensor["name"]]["shape"])
            self.assertEqual(os.path.basename(tensor["file"]), "model.safetensors")

    def test_groups_hold_every_tensor(self):
        info = json.loads(self.succeeds("info", MODEL, "--json"))
        header = self.header()
        self.assertEqual(sum(x["count"] for x in info["tensor_groups"]), len(header))
        self.assertEqual(sum(x["bytes"] for x in info["tensor_groups"]),
                         sum(x["data_offsets"][1] - x["data_offsets"][0] for x in header.values()))

    def test_tells_the_architecture(self):
        info = json.loads(self.succeeds("info", MODEL, "--json"))
        with open(os.path.join(MODEL, "config.json"), encoding="utf-8") as file:
            config = json.load(file)
        told = info["architecture"]
        for ours, theirs in (("layers", "num_hidden_layers"), ("hidden", "hidden_size"),
                             ("heads", "num_attention_heads"), ("kv_heads", "num_key_value_heads"),
                             ("experts", "num_local_experts"), ("vocab", "vocab_size"),
                             ("experts_per_token", "num_experts_per_tok"),
                             ("sliding_window", "sliding_window"), ("head_dim", "head_dim"),
                             ("intermediate", "intermediate_size"),
                             ("context", "max_position_embeddings")):
            self.assertEqual(told[ours], config[theirs], ours)
        self.assertEqual(info["mapped_bytes"],
                         os.path.getsize(os.path.join(MODEL, "model.safetensors")))

    def test_memory_grows_with_the_context(self):
        small, large = (json.loads(self.succeeds("info", MODEL, "--json", "--context", x))["memory"]
                        for x in ("1000", "100000"))
        self.assertEqual((small["context"], large["context"]), (1000, 100000))
        self.assertLess(small["kv_bytes"], large["kv_bytes"])

    def test_text_for_people(self):
        said = self.succeeds("info", MODEL)
        self.assertIn("model.layers.*.", said)
        self.assertRegex(said, r"layers +6")
        self.assertIn("model.layers.5.", self.succeeds("info", MODEL, "--tensors"))


if __name__ == "__main__":
    unittest.main()
