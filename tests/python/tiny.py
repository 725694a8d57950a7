# SPDX-License-Identifier: Apache-2.0
"""The demonstration model, opened once for a test program."""

import os
import unittest

import vitalis

SOURCE = os.environ["VITALIS_SOURCE_DIR"]
PATH = os.path.join(SOURCE, "examples", "models", "vitalis-tiny")


class TinyTest(unittest.TestCase):
    model: vitalis.Model

    @classmethod
    def setUpClass(cls):
        cls.model = vitalis.Model(PATH, threads=2, context=2048)

    @classmethod
    def tearDownClass(cls):
        cls.model.close()

    def final(self, events):
        """The answer's text, which must be whole."""
        events = list(events)
        self.assertIsInstance(events[-1], vitalis.Finished)
        self.assertEqual(sum(isinstance(event, vitalis.Finished) for event in events), 1)
        return "".join(event.text for event in events
                       if isinstance(event, vitalis.Text) and event.channel == "final")
