# SPDX-License-Identifier: Apache-2.0
"""What an answer is made of, in the order in which it comes."""

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Prefill:
    """`done` of `total` prompt tokens are computed."""

    done: int
    total: int


@dataclass(frozen=True)
class MessageBegin:
    """A message begins. A call has a recipient, such as "functions.get_weather"."""

    channel: str
    recipient: str
    content_type: str


@dataclass(frozen=True)
class Text:
    """A piece of text, of whole characters. The channel "analysis" is reasoning and not for users,
    "final" is the answer, "commentary" what the model says around its calls."""

    channel: str
    text: str


@dataclass(frozen=True)
class ToolCall:
    """A piece of the arguments, as JSON, of the call to `recipient`."""

    recipient: str
    arguments: str


@dataclass(frozen=True)
class MessageEnd:
    """The message ends; `complete` is false if the answer was cut off inside it."""

    complete: bool


@dataclass(frozen=True)
class Diagnostic:
    """What was repaired in the model's output."""

    text: str


@dataclass(frozen=True)
class ToolResult:
    """A function of yours was run, and the model sees this result."""

    name: str
    text: str


@dataclass(frozen=True)
class Finished:
    """Always last: "stop", "tool_call" (a result is awaited), "length" or "cancelled"."""

    reason: str


Event = Union[Prefill, MessageBegin, Text, ToolCall, MessageEnd, Diagnostic, ToolResult, Finished]
