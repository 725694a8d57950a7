# SPDX-License-Identifier: Apache-2.0
"""Random schemas and tools: what the model says at temperature 2 is judged by a validator that is
not ours, Debian's python3-jsonschema.

    VITALIS_RANDOM_SCHEMAS=500 python3 -m unittest constrain_test    more than the default run's
"""

import json
import os
import random
import unittest

import vitalis

try:
    import jsonschema
except ImportError:
    jsonschema = None

import tiny

SCHEMAS = int(os.environ.get("VITALIS_RANDOM_SCHEMAS", "60"))
TOKENS = 160
WORDS = ["id", "name", "count", "a b", "größe", "x\"y", "tags", "π", "unit", "n_1", "😀", "deep"]


class Generator:
    """Schemas within what can be held, and that something satisfies."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def schema(self, depth=3, definitions=()):
        kinds = ["integer", "number", "string", "boolean", "null", "enum", "const", "types"]
        if depth > 0:
            kinds += ["object"] * 4 + ["array"] * 3 + ["any", "anyOf", "oneOf", "allOf", "map"]
            kinds += ["ref"] * bool(definitions)
        return getattr(self, "_" + self.random.choice(kinds))(depth - 1, definitions)

    def document(self):
        """With definitions, one of which refers to itself."""
        definitions = {"leaf": self.schema(0), "tree": {
            "type": "object", "properties": {
                "value": self.schema(0),
                "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2}},
            "required": ["value"], "additionalProperties": False}}
        out = self._object(2, ("leaf", "tree")) if self.random.random() < 0.7 else \
            self.schema(3, ("leaf", "tree"))
        return {**out, "$defs": definitions} if isinstance(out, dict) else out

    def _maybe(self, probability=0.5):
        return self.random.random() < probability

    def _integer(self, *_):
        out = {"type": "integer"}
        low = self.random.randint(-1000, 1000)
        if self._maybe():
            out[self.random.choice(["minimum", "exclusiveMinimum"])] = low
        if self._maybe():
            out[self.random.choice(["maximum", "exclusiveMaximum"])] = \
                low + self.random.randint(20, 5000)
        if self._maybe(0.2):
            out["multipleOf"] = self.random.randint(1, 12)
        return out

    def _number(self, *_):
        out = {"type": "number"}
        low = round(self.random.uniform(-50, 50), self.random.randint(0, 3))
        if self._maybe():
            out[self.random.choice(["minimum", "exclusiveMinimum"])] = low
        if self._maybe():
            out[self.random.choice(["maximum", "exclusiveMaximum"])] = \
                round(low + self.random.uniform(0.5, 100), 2)
        return out

    def _string(self, *_):
        out = {"type": "string"}
        if self._maybe(0.3):
            out["pattern"] = self.random.choice([
                "^[a-z]+$", "^[A-Z]{2}[0-9]{1,4}$", "ab", "^x|y$", r"^\d{3}-\d{4}$", "^[^a-z]{2,9}$",
                "^(foo|bar)(, (foo|bar))*$", r"^\w+@\w+\.com$", "^.{1,12}$", "^[äöü]*$"])
        elif self._maybe(0.3):
            out["format"] = self.random.choice(
                ["date", "time", "date-time", "uuid", "email", "ipv4", "hostname", "duration", "uri",
                 "unheard-of"])
        elif self._maybe():
            out["minLength"] = self.random.randint(0, 5)
            if self._maybe():
                out["maxLength"] = out["minLength"] + self.random.randint(0, 20)
        return out

    def _boolean(self, *_):
        return {"type": "boolean"}

    def _null(self, *_):
        return {"type": "null"}

    def _any(self, *_):
        return self.random.choice([{}, True])

    def _value(self):
        return self.random.choice([
            0, -7, 1.5, "red", "gr\"ün\n", "", None, True, [1, "x"], {"a": [], "b": {"c": None}}])

    def _enum(self, *_):
        return {"enum": [self._value() for _ in range(self.random.randint(1, 5))]}

    def _const(self, *_):
        return {"const": self._value()}

    def _types(self, *_):
        return {"type": self.random.sample(["integer", "string", "null", "boolean"], 2)}

    def _ref(self, depth, definitions):
        return {"$ref": "#/$defs/" + self.random.choice(definitions)}

    def _array(self, depth, definitions):
        out = {"type": "array", "items": self.schema(depth, definitions)}
        if self._maybe(0.3):
            out["prefixItems"] = [self.schema(depth, definitions)
                                  for _ in range(self.random.randint(1, 3))]
        if self._maybe():
            out["minItems"] = self.random.randint(0, 2)
        if self._maybe():
            out["maxItems"] = out.get("minItems", 0) + self.random.randint(1, 4)
        return out

    def _object(self, depth, definitions):
        names = self.random.sample(WORDS, self.random.randint(0, 6))
        out = {"type": "object",
               "properties": {name: self.schema(depth, definitions) for name in names}}
        required = [name for name in names if self._maybe()]
        if required:
            out["required"] = required
        choice = self.random.randint(0, 5)
        if choice == 0:
            out["additionalProperties"] = self.schema(0)
        elif choice == 1:
            out["additionalProperties"] = False
        elif choice == 2 and names:
            out["minProperties"] = self.random.randint(1, len(names))
        elif choice == 3 and names:
            out["maxProperties"] = self.random.randint(max(1, len(required)), len(names))
        elif choice == 4 and len(names) > 1:
            out["dependentRequired"] = {names[0]: [names[1]]}
        return out

    def _map(self, depth, definitions):
        out = {"type": "object", "additionalProperties": self.schema(depth, definitions)}
        if self._maybe(0.3):
            out["propertyNames"] = {"pattern": "^[a-z_]{1,9}$"}
        elif self._maybe(0.3):
            out = {"type": "object", "additionalProperties": False, "patternProperties": {
                "^s_": self.schema(depth, definitions), "^n_[0-9]+$": self.schema(0)}}
        if self._maybe(0.3):
            out["minProperties"] = 1
        if self._maybe(0.3):
            out["maxProperties"] = 3
        return out

    def _anyOf(self, depth, definitions):
        return {"anyOf": [self.schema(depth, definitions)
                          for _ in range(self.random.randint(1, 3))]}

    def _oneOf(self, depth, definitions):
        if self._maybe():
            return {"oneOf": [self._string(), self._integer(), {"type": "null"}]}
        branches = []
        for kind in self.random.sample(WORDS, 3):
            branch = self._object(depth - 1, definitions)
            branch["properties"]["kind"] = {"const": kind}
            branch["required"] = branch.get("required", []) + ["kind"]
            branch.pop("maxProperties", None)
            branches.append(branch)
        return {"oneOf": branches}

    def _allOf(self, depth, definitions):
        first, second = self._object(depth, definitions), self._object(depth, definitions)
        second["properties"] = {name + "2": value for name, value in second["properties"].items()}
        second["required"] = [name + "2" for name in second.get("required", [])]
        for schema in (first, second):
            for keyword in ("additionalProperties", "maxProperties", "dependentRequired"):
                schema.pop(keyword, None)
        return {"allOf": [first, second]}


@unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
class ConstrainTest(tiny.TinyTest):

    def check(self, schema, text):
        formats = jsonschema.FormatChecker(["date", "ipv4", "email", "uuid"])
        validator = jsonschema.Draft202012Validator(schema, format_checker=formats)
        try:
            value = json.loads(text)
        except ValueError as error:
            self.fail(f"{error}\n{json.dumps(schema)}\n{text}")
        problems = [problem.message for problem in validator.iter_errors(value)]
        self.assertEqual(problems, [], f"{json.dumps(schema)}\n{text}")

    def test_final_messages_fit_random_schemas(self):
        told = 0
        for seed in range(SCHEMAS):
            schema = Generator(seed).document()
            if not isinstance(schema, dict):
                continue
            # Without a name the model is not shown the schema, whose prompt would take the time.
            conversation = vitalis.Conversation().user("Hello.").set_response_schema(schema)
            try:
                events = list(self.model.chat(conversation, temperature=2, seed=seed,
                                              max_tokens=TOKENS))
            except ValueError as error:
                # Random constraints may leave nothing, or more than the tokens hold.
                self.assertRegex(str(error), "nothing satisfies|the shortest answer")
                continue
            told += 1
            self.assertEqual(events[-1].reason, "stop", json.dumps(schema))
            self.check(schema, self.final(events))
        self.assertGreater(told, SCHEMAS * 0.8)

    def test_calls_fit_random_tools(self):
        refused = 0
        for count in (1, 2, 5, 20):
            for effort in ("low", "medium", "high"):
                generator = Generator(count * 10 + len(effort))
                tools, schemas = [], {}
                while len(tools) < count:
                    # Twenty large ones would not go into the model's context.
                    schema = generator._object(1, ()) if count > 5 else generator.document()
                    name = f"tool_{len(tools)}"
                    if not isinstance(schema, dict) or schema.get("type") != "object":
                        continue
                    tool = {"type": "function", "function": {"name": name, "parameters": schema}}
                    tools.append(tool)
                    schemas[name] = schema
                try:
                    message = self.call(tools, effort, "required")
                except (ValueError, vitalis.ContextFullError) as error:
                    self.assertRegex(str(error),
                                     "nothing satisfies|the shortest answer|the prompt has")
                    refused += 1
                    continue
                for call in message.tool_calls:
                    self.check(schemas[call.function.name], call.function.arguments)
                named = f"tool_{count - 1}"
                message = self.call(tools, effort,
                                    {"type": "function", "function": {"name": named}})
                self.assertEqual(message.tool_calls[0].function.name, named)
                self.check(schemas[named], message.tool_calls[0].function.arguments)
                self.assertIsNone(self.call(tools, effort, "none").tool_calls)
                for call in self.call(tools, effort, "auto").tool_calls or ():
                    # A call that is begun fits; one that the tokens cut is not begun.
                    self.check(schemas[call.function.name], call.function.arguments)

        self.assertLess(refused, 3)

    def call(self, tools, effort, choice):
        result = self.model.chat.completions.create(
            messages=[{"role": "user", "content": "What is the weather in Paris?"}], tools=tools,
            tool_choice=choice, reasoning_effort=effort, temperature=2, seed=7, max_tokens=TOKENS)
        if choice not in ("none", "auto"):
            self.assertEqual(result.choices[0].finish_reason, "tool_calls")
            self.assertTrue(result.choices[0].message.tool_calls)
        return result.choices[0].message

    def test_refusals_are_sentences(self):
        create = self.model.chat.completions.create
        ask = [{"role": "user", "content": "Hello."}]
        with self.assertRaisesRegex(ValueError, "a call is required, and there is no tool"):
            create(messages=ask, tool_choice="required")
        with self.assertRaisesRegex(ValueError, "there is no tool named"):
            create(messages=ask, tool_choice={"type": "function", "function": {"name": "f"}})
        with self.assertRaises(ValueError):
            create(messages=ask, tool_choice="maybe")
        bad = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"not": {}}}}
        with self.assertRaisesRegex(vitalis.VitalisError, "response schema/not: this keyword"):
            create(messages=ask, response_format=bad)

    def test_a_json_object_is_one(self):
        result = self.model.chat.completions.create(
            messages=[{"role": "user", "content": "Hello."}], temperature=2, seed=3, max_tokens=60,
            response_format={"type": "json_object"})
        self.assertIsInstance(json.loads(result.choices[0].message.content), dict)


if __name__ == "__main__":
    unittest.main()
