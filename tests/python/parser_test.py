# SPDX-License-Identifier: Apache-2.0
"""The parser: events with their places, snapshots, policies, and the goldens through Python."""

import copy
import unittest

import vitalis
from goldens import GoldenTest, cases
from tiny import PATH

TURN = ("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary "
        'to=functions.f <|constrain|>json<|message|>{"city": "Łódź"}<|call|>')


def messages_of(events):
    """The messages that the events tell of, as the goldens write them, and whether the last one is
    still open."""
    messages, is_open = [], False
    for event in events:
        if isinstance(event, vitalis.MessageBegin):
            fields = {"role": event.role, "name": event.name, "recipient": event.recipient,
                      "channel": event.channel, "content_type": event.content_type}
            messages.append({name: value for name, value in fields.items() if value})
            messages[-1]["content"] = ""
            is_open = True
        elif isinstance(event, vitalis.Text):
            messages[-1]["content"] += event.text
        elif isinstance(event, vitalis.ToolCall):
            messages[-1]["content"] += event.arguments
        elif isinstance(event, vitalis.MessageEnd):
            is_open = False
    return messages, is_open


def present(messages):
    """The interface does not tell an absent field from an empty one."""
    return [{name: value for name, value in message.items() if value or name == "content"}
            for message in messages]


class Parsers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tokenizer = vitalis.Tokenizer(PATH)
        cls.turn = cls.tokenizer.encode(TURN, special=True)

    @classmethod
    def tearDownClass(cls):
        cls.tokenizer.close()

    def test_a_turn(self):
        with vitalis.Parser(self.tokenizer) as parser:
            events = list(parser.parse(self.turn))
        self.assertEqual(messages_of(events)[0], [
            {"role": "assistant", "channel": "analysis", "content": "Hm."},
            {"role": "assistant", "channel": "commentary", "recipient": "functions.f",
             "content_type": "<|constrain|>json", "content": '{"city": "Łódź"}'}])
        calls = [event for event in events if isinstance(event, vitalis.ToolCall)]
        self.assertEqual("".join(call.arguments for call in calls if call.path == "/city"),
                         '"Łódź"')
        self.assertEqual((calls[0].json, calls[-1].json), ("incomplete", "complete"))
        first, second = (event for event in events if isinstance(event, vitalis.MessageEnd))
        self.assertEqual((first.json, second.json), ("", "complete"))
        self.assertEqual((first.message, second.message), (0, 1))
        self.assertEqual([*first.tokens, *second.tokens], list(range(len(self.turn))))
        self.assertTrue(first.complete and second.complete)

    def test_snapshots(self):
        parser = vitalis.Parser(self.tokenizer)
        half = len(self.turn) // 2
        for token in self.turn[:half]:
            parser.push(token)
        snapshots = [copy.copy(parser), parser.clone()]
        rest = list(parser.parse(self.turn[half:]))
        parser.close()
        self.assertTrue(rest)
        for snapshot in snapshots:
            self.assertEqual(list(snapshot.parse(self.turn[half:])), rest)

    def test_repairs_are_told(self):
        text = "<|channel|>commentary to=f<|message|>{}"
        tokens = self.tokenizer.encode(text, special=True)
        events = list(vitalis.Parser(self.tokenizer, functions=["f"]).parse(tokens))
        self.assertEqual(messages_of(events)[0][0]["recipient"], "functions.f")
        self.assertEqual([event.text for event in events if isinstance(event, vitalis.Diagnostic)],
                         ["recipient_normalized", "truncated"])
        self.assertFalse(events[-1].complete)

    def test_wrong_use(self):
        with self.assertRaises(ValueError):
            vitalis.Parser(self.tokenizer, policy="kind")
        with self.assertRaises(ValueError):
            vitalis.Parser(self.tokenizer, functions=["a\0b"])
        parser = vitalis.Parser(self.tokenizer, policy="strict", from_start=True)
        for token in (-1, 2**32):
            with self.assertRaises(ValueError):
                parser.push(token)
        with self.assertRaisesRegex(vitalis.MalformedError, "token 0: expect_start"):
            parser.push(self.turn[0])


class Goldens(GoldenTest):
    def parser(self, case, **options):
        return vitalis.Parser(self.tokenizer, from_start=case["input"].get("role") is None,
                              **options)

    def check_compatible(self, case):
        parser = self.parser(case, policy="strict" if case["options"]["strict"] else "lenient")
        expected = case["expected"]
        trace = expected.get("trace")
        events, ends = [], 0
        error, at = None, "eos"
        try:
            for at, token in enumerate(case["input"]["tokens"]):
                new = parser.push(token)
                events += new
                ends += sum(isinstance(event, vitalis.MessageEnd) for event in new)
                if trace:
                    self.assertEqual(ends, trace[at][3])
            at = "eos"
            if case["options"]["eos"]:
                events += parser.finish()
        except vitalis.MalformedError as caught:
            error = caught
        if expected["error"] is None:
            self.assertIsNone(error)
        else:
            self.assertEqual(at, expected["error"]["at"])
            self.assertTrue(str(error).endswith(expected["error"]["kind"]), error)
        messages, is_open = messages_of(events)
        self.assertEqual(messages[:-1] if is_open else messages, present(expected["messages"]))

    def test_compatible(self):
        checked = 0
        for name in ("parse.jsonl", "parse_fuzz.jsonl"):
            for case in cases("harmony", name):
                # The interface begins at <|start|> or after <|start|>assistant.
                if case["input"].get("role") not in (None, "assistant"):
                    continue
                checked += 1
                with self.subTest(case["name"]):
                    self.check_compatible(case)
        self.assertEqual(checked, 467)

    def test_resilient(self):
        found = cases("harmony", "resilient_parse.jsonl")
        self.assertEqual(len(found), 37)
        for case in found:
            with self.subTest(case["name"]):
                parser = self.parser(case, functions=case["options"]["known_tools"])
                events = list(parser.parse(case["input"]["tokens"]))
                self.assertEqual(messages_of(events),
                                 (present(case["expected"]["messages"]), False))
                self.assertEqual([event.text for event in events
                                  if isinstance(event, vitalis.Diagnostic)],
                                 case["expected"]["diagnostics"])


if __name__ == "__main__":
    unittest.main()
