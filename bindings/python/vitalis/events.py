# SPDX-License-Identifier: Apache-2.0
"""What an answer is made of, in the order in which it comes, from a session or a parser.

`message` is which message of the answer an event is about, from 0, and `tokens` which of its
tokens, counted from the answer's first: the ranges of the MessageEnds leave no gap.
"""

from dataclasses import dataclass
from typing import Any, Optional, Union

from . import _abi
from ._native import str_of

_CHANNELS = {
    _abi.CHANNEL_ANALYSIS: "analysis",
    _abi.CHANNEL_COMMENTARY: "commentary",
    _abi.CHANNEL_FINAL: "final",
}
_REASONS = {
    _abi.FINISH_STOP: "stop",
    _abi.FINISH_TOOL_CALL: "tool_call",
    _abi.FINISH_LENGTH: "length",
}
_ROLES = {
    _abi.ROLE_SYSTEM: "system",
    _abi.ROLE_DEVELOPER: "developer",
    _abi.ROLE_USER: "user",
    _abi.ROLE_ASSISTANT: "assistant",
    _abi.ROLE_TOOL: "tool",
}
_JSON_STATES = {
    _abi.JSON_STATE_INCOMPLETE: "incomplete",
    _abi.JSON_STATE_COMPLETE: "complete",
    _abi.JSON_STATE_INVALID: "invalid",
}


@dataclass(frozen=True)
class Prefill:
    """`done` of `total` prompt tokens are computed."""

    done: int
    total: int


@dataclass(frozen=True)
class MessageBegin:
    """A message begins. A call has a recipient, such as "functions.get_weather". What is absent is
    ""; `name` is that of a tool or a named author."""

    channel: str
    recipient: str
    content_type: str
    role: str = "assistant"
    name: str = ""
    message: int = 0
    tokens: range = range(0)


@dataclass(frozen=True)
class Text:
    """A piece of text, of whole characters. The channel "analysis" is reasoning and not for users,
    "final" is the answer, "commentary" what the model says around its calls."""

    channel: str
    text: str
    message: int = 0
    tokens: range = range(0)


@dataclass(frozen=True)
class ToolCall:
    """A piece of the arguments, as JSON, of the call to `recipient`. `path` is the JSON Pointer of
    the value that the piece is part of ("/city"), `json` what the arguments are so far:
    "incomplete", "complete", "invalid", or "" for nothing yet."""

    recipient: str
    arguments: str
    path: str = ""
    json: str = ""
    message: int = 0
    tokens: range = range(0)


@dataclass(frozen=True)
class MessageEnd:
    """The message ends; `complete` is false if the answer was cut off inside it. `json` is what a
    call's arguments are, as in ToolCall; `tokens` are all of the message's."""

    complete: bool
    json: str = ""
    message: int = 0
    tokens: range = range(0)


@dataclass(frozen=True)
class Diagnostic:
    """What was repaired in the model's output, by its name: "missing_end_token"."""

    text: str
    message: int = 0
    tokens: range = range(0)


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


def event_of(event: Any) -> Optional[Event]:
    """A copy of what the library lends until its next call; None for a kind not known here."""
    kind = event.kind
    if kind == _abi.EVENT_PREFILL:
        return Prefill(event.done, event.total)
    if kind == _abi.EVENT_FINISHED:
        return Finished(_REASONS.get(event.finish_reason, "stop"))
    place = event.message, range(event.token_begin, event.token_end)
    json = _JSON_STATES.get(event.json, "")
    if kind == _abi.EVENT_TEXT:
        return Text(_channel(event), str_of(event.text), *place)
    if kind == _abi.EVENT_TOOL_CALL:
        return ToolCall(str_of(event.recipient), str_of(event.text), str_of(event.path), json,
                        *place)
    if kind == _abi.EVENT_MESSAGE_BEGIN:
        return MessageBegin(_channel(event), str_of(event.recipient), str_of(event.content_type),
                            _ROLES.get(event.role, ""), str_of(event.name), *place)
    if kind == _abi.EVENT_MESSAGE_END:
        return MessageEnd(bool(event.complete), json, *place)
    if kind == _abi.EVENT_DIAGNOSTIC:
        return Diagnostic(str_of(event.text), *place)
    return None


def _channel(event: Any) -> str:
    return _CHANNELS.get(event.channel) or str_of(event.channel_name)
