# SPDX-License-Identifier: Apache-2.0
"""Schemas from type hints and docstrings, and calls with what a model writes. Needs no model."""

import enum
import json
import unittest
from typing import Any, Dict, List, Literal, Optional, Union

from vitalis.tools import call_tool, tool_schema


class Unit(enum.Enum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


def everything(text: str, count: int, ratio: float, flag: bool, unit: Unit, names: List[str],
               table: Dict[str, int], size: Literal["S", "M"], maybe: Optional[int] = None,
               either: Union[int, str] = 3, anything: Any = None, plain=True) -> str:
    """Does everything
    at once.

    More about it.

    Args:
        text: What to say
        count (int): How often,
            over two lines
        ratio: How much

    Returns:
        text: not a parameter
    """
    return repr(locals())


def sphinx(city: str, *, days: int = 1):
    """Forecast.

    :param city: The city
    :param int days: How many days
    """
    return {"city": city, "days": days, "sky": "été"}


class Schemas(unittest.TestCase):
    def test_every_type(self):
        schema = tool_schema(everything)["function"]
        self.assertEqual(schema["name"], "everything")
        self.assertEqual(schema["description"], "Does everything at once.")
        self.assertEqual(schema["parameters"]["required"], [
            "text", "count", "ratio", "flag", "unit", "names", "table", "size"])
        self.assertEqual(schema["parameters"]["properties"], {
            "text": {"type": "string", "description": "What to say"},
            "count": {"type": "integer", "description": "How often, over two lines"},
            "ratio": {"type": "number", "description": "How much"},
            "flag": {"type": "boolean"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "names": {"type": "array", "items": {"type": "string"}},
            "table": {"type": "object", "additionalProperties": {"type": "integer"}},
            "size": {"type": "string", "enum": ["S", "M"]},
            "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}], "default": 3},
            "anything": {},
            "plain": {"default": True},
        })

    def test_the_other_docstring_style(self):
        parameters = tool_schema(sphinx)["function"]["parameters"]
        self.assertEqual(parameters["properties"]["city"]["description"], "The city")
        self.assertEqual(parameters["properties"]["days"],
                         {"type": "integer", "default": 1, "description": "How many days"})

    def test_what_has_no_schema(self):
        def star(*names): pass
        def keys(table: Dict[int, str]): pass
        def other(value: complex): pass
        for function in (star, keys, other):
            with self.assertRaisesRegex(TypeError, function.__name__):
                tool_schema(function)

    def test_nothing_at_all(self):
        self.assertEqual(tool_schema(lambda: None)["function"]["parameters"],
                         {"type": "object", "properties": {}})


class Calls(unittest.TestCase):
    def test_results(self):
        self.assertEqual(json.loads(call_tool(sphinx, '{"city": "Oslo", "days": 2}')),
                         {"city": "Oslo", "days": 2, "sky": "été"})
        self.assertIn("été", call_tool(sphinx, '{"city": "Oslo"}'))
        self.assertEqual(call_tool(lambda: "text", ""), "text")
        self.assertEqual(call_tool(lambda: None, "{}"), "null")

    def test_enumerations_arrive_as_members(self):
        def which(unit: Unit): return unit.name
        self.assertEqual(call_tool(which, '{"unit": "celsius"}'), "CELSIUS")
        self.assertTrue(call_tool(which, '{"unit": "kelvin"}').startswith("error: "))

    def test_a_models_mistakes_are_told_to_it(self):
        for arguments in ("{", "[]", "{}", '{"town": "Oslo"}', '{"city": 1, "more": 2}'):
            self.assertTrue(call_tool(sphinx, arguments).startswith("error: "), arguments)

    def test_the_functions_own_errors_pass(self):
        def broken(): raise ValueError("mine")
        with self.assertRaisesRegex(ValueError, "mine"):
            call_tool(broken, "{}")


if __name__ == "__main__":
    unittest.main()
