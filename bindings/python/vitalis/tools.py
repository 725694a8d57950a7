# SPDX-License-Identifier: Apache-2.0
"""Python functions as the model's tools: a JSON Schema from type hints and docstring, and the
call."""

import enum
import inspect
import json
import re
import typing
from typing import Any, Callable, Dict, List, Literal, Union, get_args, get_origin

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_NO_HINT = (inspect.Parameter.empty, Any)


def tool_schema(function: Callable[..., Any]) -> Dict[str, Any]:
    """The function as OpenAI declares tools.

    The docstring's first paragraph describes it; its parameters are described by an "Args:" section
    ("name: text" or "name (type): text") or by ":param name: text" lines. Parameters without a
    default are required. TypeError for what JSON has no form of.
    """
    text = inspect.getdoc(function) or ""
    described = _descriptions(text)
    hints = typing.get_type_hints(function)
    properties: Dict[str, Any] = {}
    required: List[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"{function.__name__}: arguments come by name, unlike {parameter}")
        try:
            schema = _schema(hints.get(name, Any))
        except TypeError as error:
            raise TypeError(f"{function.__name__}: {name}: {error}") from None
        if name in described:
            schema["description"] = described[name]
        if parameter.default is parameter.empty:
            required.append(name)
        elif isinstance(parameter.default, (str, int, float, bool)):
            schema["default"] = parameter.default
        properties[name] = schema
    parameters: Dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        parameters["required"] = required
    description = " ".join(text.split("\n\n", 1)[0].split())
    return {"type": "function", "function": {
        "name": function.__name__, "description": description, "parameters": parameters}}


def call_tool(function: Callable[..., Any], arguments: str) -> str:
    """Calls the function with arguments as JSON; text is returned as it is, other results as JSON.

    Arguments that do not fit are the model's mistake: it is told, and may try again. What the
    function raises is the caller's, and passes."""
    try:
        values = json.loads(arguments or "{}")
        if not isinstance(values, dict):
            raise TypeError("the arguments are not an object")
        bound = inspect.signature(function).bind(**values)
        hints = typing.get_type_hints(function)
        for name, value in bound.arguments.items():
            hint = hints.get(name, Any)
            if inspect.isclass(hint) and issubclass(hint, enum.Enum):
                bound.arguments[name] = hint(value)
    except (ValueError, TypeError) as error:
        return f"error: {error}"
    result = function(*bound.args, **bound.kwargs)
    if isinstance(result, str):
        return result
    return json.dumps(result, ensure_ascii=False, default=str)


def _schema(hint: Any) -> Dict[str, Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _NO_HINT:
        return {}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if origin is Literal:
        return _choice(list(arguments))
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return _choice([member.value for member in hint])
    if hint in (list, tuple, dict):
        return {"type": "object" if hint is dict else "array"}
    if origin is dict:
        if arguments[0] is not str:
            raise TypeError("the keys of a JSON object are text")
        return {"type": "object", "additionalProperties": _schema(arguments[1])}
    if origin is list or (origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis):
        return {"type": "array", "items": _schema(arguments[0])}
    # X | None of Python 3.10 has an origin of its own, types.UnionType.
    if origin is Union or type(hint).__name__ == "UnionType":
        options = [_schema(argument) for argument in arguments if argument is not type(None)]
        if len(options) < len(arguments):
            options.append({"type": "null"})
        # `x: Any = None` is Optional[Any] before Python 3.11.
        return {} if {} in options else {"anyOf": options}
    raise TypeError(f"no JSON form of {hint}")


def _choice(values: List[Any]) -> Dict[str, Any]:
    types = {_PLAIN.get(type(value)) for value in values}
    if None in types:
        raise TypeError(f"no JSON form of one of {values}")
    schema: Dict[str, Any] = {"enum": values}
    if len(types) == 1:
        schema["type"] = types.pop()
    return schema


def _descriptions(text: str) -> Dict[str, str]:
    lines = re.findall(r"^:param (?:\w+ )?(\w+): *(.*(?:\n[ \t]+.*)*)", text, re.M)
    found = {name: " ".join(what.split()) for name, what in lines}
    section = re.search(r"^(?:Args|Arguments|Parameters):\n((?:[ \t]+.*\n?|\n)+)", text, re.M)
    if section:
        body = inspect.cleandoc("\n" + section[1])
        for name, what in re.findall(r"^(\w+)(?: *\([^)]*\))?: *(.*(?:\n[ \t]+.*)*)", body, re.M):
            found[name] = " ".join(what.split())
    return found
