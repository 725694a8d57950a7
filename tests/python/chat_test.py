# SPDX-License-Identifier: Apache-2.0
"""model.chat: texts, messages, conversations, and functions that are run."""

import unittest

import vitalis
from tiny import TinyTest

asked = []


def get_weather(location: str, unit: str = "celsius") -> dict:
    """Gets the current weather in a city.

    Args:
        location: The name of the city
        unit: The unit
    """
    asked.append((location, unit))
    return {"temperature": 4, "sky": "snow"}


def get_time(city: str) -> str:
    """Gets the current time in a city."""
    raise OSError(f"no clock in {city}")


class Chat(TinyTest):
    def test_text_and_messages(self):
        question = "What is the capital of France?"
        for messages in (question, [{"role": "user", "content": question}],
                         vitalis.Conversation().user(question)):
            self.assertEqual(self.final(self.model.chat(messages, temperature=0)),
                             "The capital of France is Paris.")

    def test_instructions_and_efforts(self):
        for effort in ("low", "medium", "high"):
            self.assertEqual(self.final(self.model.chat(
                "What is the capital of Italy?", instructions="Answer in capital letters.",
                reasoning_effort=effort, temperature=0)), "THE CAPITAL OF ITALY IS ROME.")

    def test_a_conversation_remembers(self):
        conversation = vitalis.Conversation().user("My name is Anna.")
        self.final(self.model.chat(conversation, temperature=0))
        self.assertGreater(len(conversation), 1)
        conversation.user("What is my name?")
        self.assertIn("Anna", self.final(self.model.chat(conversation, temperature=0)))

    def test_functions_are_run(self):
        asked.clear()
        conversation = vitalis.Conversation()
        for _ in range(2):  # the tool is declared once
            conversation.user("What is the weather in Oslo?")
            events = list(self.model.chat(conversation, tools=[get_weather], temperature=0))
            results = [event for event in events if isinstance(event, vitalis.ToolResult)]
            self.assertEqual(len(results), 1, events)
            self.assertEqual(results[0].name, "functions.get_weather")
            self.assertIn('"temperature": 4', results[0].text)
            self.assertEqual(events[-1], vitalis.Finished("stop"))
            self.assertTrue(self.final(events))
        self.assertEqual([city for city, _ in asked], ["Oslo", "Oslo"])

    def test_rounds_are_counted(self):
        events = list(self.model.chat("What is the weather in Oslo?", tools=[get_weather],
                                      temperature=0, max_rounds=1))
        self.assertEqual(events[-1], vitalis.Finished("tool_call"))
        self.assertFalse([event for event in events if isinstance(event, vitalis.ToolResult)])

    def test_schemas_are_left_to_the_caller(self):
        conversation = vitalis.Conversation().user("What is the weather in Oslo?")
        schema = vitalis.tool_schema(get_weather)
        events = list(self.model.chat(conversation, tools=[schema], temperature=0))
        self.assertEqual(events[-1], vitalis.Finished("tool_call"))
        call = "".join(e.arguments for e in events if isinstance(e, vitalis.ToolCall))
        self.assertIn('"Oslo"', call)
        conversation.add_tool_result("functions.get_weather", '{"temperature": 4, "sky": "snow"}')
        self.assertTrue(self.final(self.model.chat(conversation, tools=[schema], temperature=0)))

    def test_what_a_function_raises_comes_out(self):
        with self.assertRaisesRegex(OSError, "no clock in"):
            list(self.model.chat("What time is it in Tokyo?", tools=[get_time], temperature=0))
        self.assertTrue(self.final(self.model.chat("What is 17 + 25?", temperature=0)))

    def test_options_are_keywords(self):
        with self.assertRaises(TypeError):
            self.model.chat("Hello", 0.5)
        with self.assertRaises(ValueError):
            self.model.chat([{"role": "stranger"}])


if __name__ == "__main__":
    unittest.main()
