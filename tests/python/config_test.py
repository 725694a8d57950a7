# SPDX-License-Identifier: Apache-2.0
"""vitalis.Config: settings in layers, and what they are for."""

import math
import unittest

import vitalis
from tiny import PATH


class Configs(unittest.TestCase):
    def setUp(self):
        self.config = vitalis.Config()
        self.addCleanup(self.config.close)

    def test_table(self):
        settings = {setting.key: setting for setting in self.config}
        self.assertGreater(len(settings), 25)
        threads = settings["runtime.threads"]
        self.assertEqual((threads.type, threads.flag, threads.environment),
                         ("integer", "--threads", "VITALIS_RUNTIME_THREADS"))
        self.assertFalse(threads.is_set)
        self.assertEqual(settings["reasoning.effort"].choices, "low|medium|high")
        self.assertFalse(settings["hub.endpoint"].harmless)
        self.assertEqual(self.config["runtime.threads"], threads)
        with self.assertRaises(KeyError) as caught:
            self.config["runtime.thread"]
        self.assertIn("runtime.threads", str(caught.exception))

    def test_layers(self):
        self.config.load({"runtime": {"threads": 4}, "sampling": {"top_p": 0.5}}, origin="a file")
        self.config.set("runtime.threads", 2, origin="--threads")
        self.assertEqual((self.config["runtime.threads"].value,
                          self.config["runtime.threads"].origin), ("2", "--threads"))
        self.assertEqual(self.config["sampling.top_p"].origin, "a file")
        self.config.set("runtime.threads", None)
        self.assertFalse(self.config["runtime.threads"].is_set)
        self.config.set("hub.offline", True).set("reasoning.effort", "high")
        same = vitalis.Config().load(self.config.to_dict())
        self.assertEqual(same.to_dict(), self.config.to_dict())
        self.assertEqual(same["hub.offline"].value, "true")

    def test_mistakes(self):
        with self.assertRaises(vitalis.NotFoundError) as caught:
            self.config.set("sampling.temprature", 1)
        self.assertIn("sampling.temperature", str(caught.exception))
        with self.assertRaises(ValueError):
            self.config.set("sampling.temperature", 101)
        with self.assertRaises(ValueError) as caught:
            self.config.load({"runtime": {"threads": 0, "contxt": 1}}, origin="here.toml")
        for part in ("here.toml", "runtime.threads", "runtime.context"):
            self.assertIn(part, str(caught.exception))
        with self.assertRaises(vitalis.DeniedError):
            self.config.load({"hub": {"endpoint": "https://example.org"}}, harmless=True)
        with self.assertRaises(vitalis.MalformedError):
            self.config.load("{")
        self.assertFalse(any(setting.is_set for setting in self.config))

    def test_what_they_are_for(self):
        self.assertEqual(self.config.engine_options(), {"threads": None, "tier": None})
        self.assertEqual(self.config.generate_options()["temperature"], 1)
        self.config.load({
            "runtime": {"threads": 1, "tier": "portable", "context": 512, "memory_budget": "1GiB"},
            "sampling": {"temperature": 0, "seed": 0, "max_tokens": 40, "top_k": 5,
                         "presence_penalty": -1},
            "reasoning": {"effort": "low"},
            "hub": {"offline": True, "cache_dir": "/somewhere", "retries": 7}})
        self.assertEqual(self.config.session_options(),
                         {"context": 512, "memory_budget_mib": 1024})
        generate = self.config.generate_options()
        self.assertEqual((generate["temperature"], generate["seed"], generate["top_k"]), (0, 0, 5))
        self.assertTrue(math.isclose(generate["presence_penalty"], -1))
        with vitalis.Model(PATH, **self.config.engine_options(),
                           **self.config.session_options()) as model:
            self.assertEqual((model.engine.threads, model.engine.tier), (1, "portable"))
            events = list(model.chat("What is the capital of France?", **generate,
                                     **self.config.system_options()))
            self.assertIn("Paris", "".join(event.text for event in events
                                           if isinstance(event, vitalis.Text)))
        with vitalis.Hub(**self.config.hub_options()) as hub:
            with self.assertRaises(vitalis.NetworkError):
                hub.list_files("openai/gpt-oss-20b")


if __name__ == "__main__":
    unittest.main()
