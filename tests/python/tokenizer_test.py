# SPDX-License-Identifier: Apache-2.0
"""The tokenizer and the decoder: each way in and out, and the goldens through Python."""

import base64
import json
import os
import tempfile
import unittest

import vitalis
from goldens import GoldenTest, cases, path
from tiny import PATH

TEXT = "Grüße aus Łódź, 北京 🙂\0 and on, don't"
BYTES = TEXT.encode("utf-8")


class Tokenizers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tokenizer = vitalis.Tokenizer(PATH)

    @classmethod
    def tearDownClass(cls):
        cls.tokenizer.close()

    def test_special_tokens(self):
        start, end = map(self.tokenizer.special, ("<|start|>", "<|end|>"))
        text = "a<|start|>b<|end|>"
        plain = self.tokenizer.encode(text)
        self.assertFalse({start, end} & set(plain))
        self.assertEqual(self.tokenizer.encode(text, special=True).count(start), 1)
        for allowed in (["<|end|>"], [end], {"<|end|>", end}):
            tokens = self.tokenizer.encode(text, allowed=allowed)
            self.assertEqual((tokens.count(start), tokens.count(end)), (0, 1))
        with self.assertRaisesRegex(vitalis.InvalidArgumentError, r"<\|start\|>"):
            self.tokenizer.encode(text, allowed=[end], refused=[start, end])
        self.assertEqual(self.tokenizer.encode("ab", refused=["<|start|>"]),
                         self.tokenizer.encode("ab"))
        with self.assertRaises(LookupError):
            self.tokenizer.encode(text, allowed=["<|nothing|>"])

    def test_bytes_that_are_no_text(self):
        self.assertEqual(self.tokenizer.encode(b"a\xff"), self.tokenizer.encode("a\ufffd"))
        self.assertEqual(self.tokenizer.encode(bytearray(BYTES)), self.tokenizer.encode(TEXT))
        with self.assertRaisesRegex(ValueError, "3"):
            self.tokenizer.encode(b"abc\xff", strict=True)
        self.assertEqual(self.tokenizer.encode(BYTES, strict=True), self.tokenizer.encode(TEXT))
        for wrong in (5, None, ["a"]):
            with self.assertRaises(TypeError):
                self.tokenizer.encode(wrong)

    def test_offsets(self):
        encoding = self.tokenizer.encode_with_offsets(TEXT)
        self.assertEqual(encoding.tokens, self.tokenizer.encode(TEXT))
        begins = [0] + encoding.ends
        self.assertEqual([BYTES[begin:end] for begin, end in zip(begins, encoding.ends)],
                         [self.tokenizer.token_bytes(token) for token in encoding.tokens])
        self.assertEqual(encoding.ends[-1], len(BYTES))
        self.assertEqual(self.tokenizer.encode_with_offsets(""), vitalis.Encoding([], []))
        # More tokens than bytes: the first buffer is too small.
        self.assertEqual(self.tokenizer.encode_with_offsets(b"\xff" * 4000).ends[-1], 4000)

    def test_prefixes(self):
        for limit in (0, 1, 5, 12, 10**12):
            prefix = self.tokenizer.encode_up_to(TEXT, limit)
            self.assertLessEqual(len(prefix.tokens), limit)
            self.assertEqual(prefix.tokens, self.tokenizer.encode(BYTES[:prefix.bytes]))
        self.assertEqual(prefix.bytes, len(BYTES))
        self.assertEqual(self.tokenizer.encode_up_to(b"\xff" * 4000, 10**12).bytes, 4000)
        with self.assertRaises(ValueError):
            self.tokenizer.encode_up_to(TEXT, -1)

    def test_batches(self):
        texts = [TEXT * (i % 7) for i in range(200)] + [b"\xff" * 4000]
        expected = [self.tokenizer.encode(text) for text in texts]
        self.assertEqual(self.tokenizer.encode_batch(texts), expected)
        with vitalis.Engine(threads=2) as engine:
            self.assertEqual(self.tokenizer.encode_batch(texts, engine=engine), expected)
        self.assertEqual(self.tokenizer.encode_batch([]), [])
        self.assertEqual(list(map(len, expected)), list(map(self.tokenizer.count, texts)))

    def test_back_to_text(self):
        tokens = self.tokenizer.encode(TEXT)
        self.assertEqual(self.tokenizer.decode(tokens), TEXT)
        self.assertEqual(self.tokenizer.decode_bytes(iter(tokens)), BYTES)
        first = self.tokenizer.find(b"\xf0")
        self.assertEqual(self.tokenizer.token_bytes(first), b"\xf0")
        self.assertEqual(self.tokenizer.decode([first]), "\ufffd")
        self.assertEqual(self.tokenizer.decode([2**32 - 1]), "")
        self.assertLess(first, self.tokenizer.size)
        with self.assertRaises(LookupError):
            self.tokenizer.find("no such token")
        for wrong in ([-1], [2**32]):
            with self.assertRaises(ValueError):
                self.tokenizer.decode(wrong)
        with self.assertRaises(TypeError):
            self.tokenizer.decode(["a"])

    def test_a_compiled_form_is_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(2):
                file = os.path.join(PATH, "tokenizer.json")
                with vitalis.Tokenizer(file, cache_folder=folder) as cached:
                    self.assertEqual(cached.encode(TEXT), self.tokenizer.encode(TEXT))
                self.assertTrue(os.listdir(folder))
        with tempfile.TemporaryDirectory() as folder:
            vitalis.Model(PATH, cache_folder=folder).close()
            self.assertTrue(os.listdir(folder))

    def test_a_decoder_outlives_its_tokenizer(self):
        with vitalis.Tokenizer(PATH) as tokenizer:
            decoder = vitalis.Decoder(tokenizer)
        tokens = self.tokenizer.encode(TEXT)
        self.assertEqual("".join(map(decoder.push, tokens)) + decoder.finish(), TEXT)
        self.assertEqual(decoder.push(self.tokenizer.find(b"\xf0")), "")
        self.assertEqual(decoder.finish(), "\ufffd")
        with self.assertRaises(ValueError):
            decoder.push(-1)


class Goldens(GoldenTest):
    def test_encode(self):
        with open(path("tokenizer", "special_tokens.json"), encoding="utf-8") as file:
            specials = list(json.load(file)["tokenizer_json_specials"])
        checked = 0
        for case in cases("tokenizer", "encode.jsonl"):
            # The entry for bytes is tiktoken's own; long texts are for the tests in C++.
            if case["mode"] == "bytes" or not ("ids" in case or "error" in case):
                continue
            if "text" not in case and "b64" not in case:
                continue
            text = case["text"] if "text" in case else base64.b64decode(case["b64"])
            options = {"special": case["mode"] == "all", "allowed": case.get("allowed", ())}
            if case["mode"] == "disallow":
                wrong = case["disallowed"]
                options["refused"] = specials if wrong == "all" else wrong
            with self.subTest(case["name"]):
                checked += 1
                if "error" not in case:
                    self.assertEqual(self.tokenizer.encode(text, **options), case["ids"])
                    continue
                with self.assertRaises(vitalis.InvalidArgumentError) as caught:
                    self.tokenizer.encode(text, **options)
                self.assertIn(case["error"]["token"], str(caught.exception))
                self.assertIn(str(case["error"]["byte"]), str(caught.exception))
        self.assertEqual(checked, 828)

    def test_decode(self):
        found = cases("tokenizer", "decode_stream.jsonl")
        self.assertEqual(len(found), 115)
        decoder = vitalis.Decoder(self.tokenizer)
        for case in found:
            with self.subTest(case["name"]):
                chunks = list(map(decoder.push, case["ids"]))
                # This one waits for a third byte where the second made it certain.
                if case["name"] != "decode/raw/07":
                    self.assertEqual(chunks, case["chunks"])
                self.assertEqual("".join(chunks), "".join(case["chunks"]))
                self.assertEqual(decoder.finish(), case["flush"])
                data = base64.b64decode(case["bytes_b64"])
                self.assertEqual(self.tokenizer.decode_bytes(case["ids"]), data)
                self.assertEqual(self.tokenizer.decode(case["ids"]),
                                 "".join(case["chunks"]) + case["flush"])


if __name__ == "__main__":
    unittest.main()
