# SPDX-License-Identifier: Apache-2.0
"""Goldens, and gpt-oss's tokenizer where tests/fetch_data.sh has fetched it."""

import json
import os
import unittest

import vitalis
from tiny import SOURCE

TOKENIZER = os.path.join(os.environ.get("VITALIS_TEST_DATA", ""), "tokenizer.json")


def path(*names):
    return os.path.join(SOURCE, "tests", "goldens", *names)


def cases(*names):
    with open(path(*names), encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


@unittest.skipUnless(os.path.exists(TOKENIZER), "tokenizer.json comes by tests/fetch_data.sh")
class GoldenTest(unittest.TestCase):
    tokenizer: vitalis.Tokenizer

    @classmethod
    def setUpClass(cls):
        cls.tokenizer = vitalis.Tokenizer(TOKENIZER)

    @classmethod
    def tearDownClass(cls):
        cls.tokenizer.close()
