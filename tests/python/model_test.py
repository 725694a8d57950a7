# SPDX-License-Identifier: Apache-2.0
"""Opening, facts, tokens, errors."""

import os
import tempfile
import threading
import unittest

import vitalis
from tiny import PATH, TinyTest

TEXT = "Grüße aus Łódź, 北京 🙂\0 and on"


class Opening(unittest.TestCase):
    def test_a_folder_that_is_not_there(self):
        for kind in (FileNotFoundError, LookupError, vitalis.NotFoundError, vitalis.VitalisError):
            with self.assertRaises(kind) as caught:
                vitalis.Model("/no/such/model")
            self.assertIn("/no/such/model", str(caught.exception))
            self.assertEqual(caught.exception.code, -3)

    def test_a_folder_that_is_no_checkpoint(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(FileNotFoundError):
                vitalis.Model(folder)
            for name in os.listdir(PATH):
                os.symlink(os.path.join(PATH, name), os.path.join(folder, name))
            os.remove(os.path.join(folder, "config.json"))
            with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
                file.write('{"layers": ')
            with self.assertRaises(vitalis.MalformedError) as caught:
                vitalis.Model(folder)
            self.assertIsInstance(caught.exception, ValueError)
            self.assertIn("config.json", str(caught.exception))

    def test_options(self):
        with self.assertRaises(vitalis.UnsupportedError):
            vitalis.Engine(tier="abacus")
        with self.assertRaises(ValueError):
            vitalis.Engine(threads=-1)
        with self.assertRaises(ValueError):
            vitalis.Engine(numerics="roman")
        with self.assertRaises(ValueError):
            vitalis.Model(PATH + "\0")
        with vitalis.Engine(threads=1, tier="portable") as engine:
            self.assertEqual((engine.threads, engine.tier), (1, "portable"))
            with self.assertRaises(ValueError):
                vitalis.Model(PATH, engine=engine, threads=2)
            model = vitalis.Model(PATH, engine=engine)
        self.assertGreater(len(model.tokenize("the engine is closed, the model is not")), 1)
        model.close()
        model.close()
        with self.assertRaises(ValueError):
            model.tokenize("closed")


class Facts(TinyTest):
    def test_info(self):
        info = self.model.info
        self.assertEqual((info.layers, info.hidden, info.vocab, info.format),
                         (6, 288, 2560, "safetensors"))
        tensors = list(self.model.tensors())
        self.assertEqual(len(tensors), info.tensors)
        self.assertLessEqual(sum(tensor.bytes for tensor in tensors), info.mapped_bytes)
        embedding = next(t for t in tensors if t.name == "model.embed_tokens.weight")
        self.assertEqual((embedding.shape, embedding.dtype), ((2560, 288), "BF16"))

    def test_tokens_and_back(self):
        tokens = self.model.tokenize(TEXT)
        self.assertEqual(self.model.detokenize(tokens), TEXT)
        self.assertEqual(self.model.tokenize(TEXT.encode("utf-8")), tokens)
        self.assertEqual(b"".join(map(self.model.token_bytes, tokens)), TEXT.encode("utf-8"))
        self.assertEqual(self.model.tokenize(""), [])
        self.assertEqual(len(self.model.tokenize("a b " * 5000)) > 1000, True)

    def test_special_tokens(self):
        start = self.model.special_token("<|start|>")
        self.assertEqual(self.model.tokenize("<|start|>", special=True), [start])
        self.assertNotIn(start, self.model.tokenize("<|start|>"))
        self.assertEqual(self.model.token_bytes(start), b"<|start|>")
        with self.assertRaises(LookupError):
            self.model.special_token("<|nothing|>")

    def test_a_tokenizer_without_weights(self):
        with vitalis.Tokenizer(PATH) as tokenizer:
            self.assertEqual(tokenizer.encode(TEXT), self.model.tokenize(TEXT))
            self.assertEqual(tokenizer.count(TEXT), len(tokenizer.encode(TEXT)))
        with self.assertRaises(FileNotFoundError):
            vitalis.Tokenizer("/no/such/tokenizer.json")

    def test_what_is_no_token(self):
        self.assertEqual(self.model.token_bytes(2**32 - 1), b"")
        for token in (-1, 2**32):
            with self.assertRaises(ValueError):
                self.model.token_bytes(token)

    def test_memory(self):
        small = self.model.session_memory(context=256)
        large = self.model.session_memory(context=1024)
        self.assertEqual((small.context, large.context), (256, 1024))
        self.assertGreater(large.kv_bytes, small.kv_bytes)

    def test_threads_share_it(self):
        answers = []

        def ask():
            answers.append(self.final(self.model.chat("What is the capital of France?",
                                                      temperature=0)))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, ["The capital of France is Paris."] * 4)


if __name__ == "__main__":
    unittest.main()
