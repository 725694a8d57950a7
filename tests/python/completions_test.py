# SPDX-License-Identifier: Apache-2.0
"""model.chat.completions.create: the shape that programs written for OpenAI's client expect."""

import json
import math
import unittest

from tiny import TinyTest

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Gets the current weather in a city.",
    "parameters": {"type": "object", "required": ["location"], "properties": {
        "location": {"type": "string", "description": "The name of the city"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"}}}}}


class Completions(TinyTest):
    def test_whole(self):
        result = self.model.chat.completions.create(model="any", messages=QUESTION, temperature=0,
                                                    reasoning_effort="medium")
        choice = result.choices[0]
        self.assertEqual((result.object, result.model), ("chat.completion", "any"))
        self.assertTrue(result.id.startswith("chatcmpl-"))
        self.assertEqual(choice.message.role, "assistant")
        self.assertEqual(choice.message.content, "The capital of France is Paris.")
        self.assertTrue(choice.message.reasoning_content)
        self.assertEqual(choice.message.reasoning, choice.message.reasoning_content)
        self.assertIsNone(choice.message.tool_calls)
        self.assertEqual(choice.finish_reason, "stop")
        usage = result.usage
        self.assertEqual(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)
        self.assertGreater(usage.completion_tokens_details.reasoning_tokens, 0)
        json.dumps(result.model_dump())

    def test_stream(self):
        chunks = list(self.model.chat.completions.create(
            messages=QUESTION, temperature=0, stream=True, stream_options={"include_usage": True}))
        self.assertEqual(chunks[0].choices[0].delta.role, "assistant")
        self.assertEqual(chunks[-1].choices, [])
        self.assertGreater(chunks[-1].usage.completion_tokens, 0)
        self.assertEqual(len({chunk.id for chunk in chunks}), 1)
        self.assertEqual(self.model.name, chunks[0].model)
        deltas = [chunk.choices[0] for chunk in chunks[:-1]]
        self.assertEqual("".join(d.delta.content or "" for d in deltas),
                         "The capital of France is Paris.")
        self.assertTrue("".join(d.delta.reasoning or "" for d in deltas))
        self.assertEqual([d.finish_reason for d in deltas if d.finish_reason], ["stop"])
        self.assertEqual(deltas[-1].finish_reason, "stop")

    def test_logprobs(self):
        create = self.model.chat.completions.create
        options = {"messages": QUESTION, "temperature": 0, "logprobs": True}
        choice = create(**options, top_logprobs=2).choices[0]
        content = choice.logprobs.content
        self.assertEqual(bytes(sum((entry.bytes for entry in content), [])).decode(),
                         choice.message.content)
        for entry in content:
            self.assertLessEqual(entry.logprob, 0)
            self.assertEqual([other.token for other in entry.top_logprobs][0], entry.token)
            self.assertEqual(len(entry.top_logprobs), 2)
            self.assertEqual(entry.token.encode(), bytes(entry.bytes))
        json.dumps(choice.model_dump())
        streamed = [entry for chunk in create(**options, top_logprobs=2, stream=True)
                    if chunk.choices[0].logprobs for entry in chunk.choices[0].logprobs.content]
        self.assertEqual(streamed, content)
        plain = create(**options).choices[0]
        self.assertEqual([entry.logprob for entry in plain.logprobs.content],
                         [entry.logprob for entry in content])
        self.assertEqual(plain.logprobs.content[0].top_logprobs, [])
        self.assertIsNone(create(messages=QUESTION, temperature=0).choices[0].logprobs)
        for wrong in ({"top_logprobs": 21, "logprobs": True}, {"top_logprobs": 2}):
            with self.assertRaises(ValueError):
                create(messages=QUESTION, **wrong)

    def test_biases_and_penalties(self):
        create = self.model.chat.completions.create
        paris = self.model.tokenize(" Paris")[0]
        answer = create(messages=QUESTION, temperature=0, logit_bias={str(paris): -math.inf})
        self.assertNotIn(" Paris", answer.choices[0].message.content or "")
        with self.assertRaises(ValueError):
            create(messages=QUESTION, presence_penalty=3)
        with self.assertRaises(ValueError):
            create(messages=QUESTION, frequency_penalty=-3)

    def test_tool_calls_and_their_results(self):
        messages = [{"role": "user", "content": "What is the weather in Oslo?"}]
        options = {"messages": messages, "tools": [WEATHER], "temperature": 0}
        result = self.model.chat.completions.create(**options)
        choice = result.choices[0]
        self.assertEqual(choice.finish_reason, "tool_calls")
        call = choice.message.tool_calls[0]
        self.assertEqual((call.type, call.function.name), ("function", "get_weather"))
        self.assertEqual(json.loads(call.function.arguments)["location"], "Oslo")
        messages.append(choice.message.model_dump())
        messages.append({"role": "tool", "tool_call_id": call.id,
                         "content": '{"temperature": 4, "sky": "snow"}'})
        result = self.model.chat.completions.create(**options)
        self.assertEqual(result.choices[0].finish_reason, "stop")
        self.assertTrue(result.choices[0].message.content)

    def test_streamed_tool_calls_add_up(self):
        chunks = self.model.chat.completions.create(
            messages=[{"role": "user", "content": "What is the weather in Oslo?"}],
            tools=[WEATHER], temperature=0, stream=True)
        names, arguments, reasons = [], "", []
        for chunk in chunks:
            for call in chunk.choices[0].delta.tool_calls or ():
                self.assertEqual(call.index, 0)
                if call.id:
                    names.append(call.function.name)
                arguments += call.function.arguments
            reasons.append(chunk.choices[0].finish_reason)
        self.assertEqual(names, ["get_weather"])
        self.assertEqual(json.loads(arguments)["location"], "Oslo")
        self.assertEqual(reasons[-1], "tool_calls")

    def test_limits_and_options(self):
        create = self.model.chat.completions.create
        for name in ("max_tokens", "max_completion_tokens"):
            result = create(messages=QUESTION, temperature=0, **{name: 3})
            self.assertEqual(result.choices[0].finish_reason, "length")
            self.assertEqual(result.usage.completion_tokens, 3)
        first, second = (create(messages=QUESTION, seed=0, temperature=1.5) for _ in range(2))
        self.assertEqual(first.choices[0].message, second.choices[0].message)
        with self.assertRaises(TypeError):
            create(messages=QUESTION, top_kk=3)
        with self.assertRaises(ValueError):
            create(messages=QUESTION, tool_choice="required")
        with self.assertRaises(ValueError):
            create(messages=[{"role": "stranger", "content": "x"}])

    def test_a_stream_may_be_left(self):
        for chunk in self.model.chat.completions.create(messages=QUESTION, stream=True):
            if chunk.choices[0].delta.reasoning:
                break
        result = self.model.chat.completions.create(messages=QUESTION, temperature=0)
        self.assertIn("Paris", result.choices[0].message.content)


if __name__ == "__main__":
    unittest.main()
