# SPDX-License-Identifier: Apache-2.0
"""Who said what: text only, no model needed. One thread at a time."""

import ctypes
import json
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Set, Union

from . import _abi
from ._native import Handle, c_string, check, encoded, filled, lib, tokens_from

if TYPE_CHECKING:
    from .model import Model

_ROLES = {
    "system": _abi.ROLE_SYSTEM,
    "developer": _abi.ROLE_DEVELOPER,
    "user": _abi.ROLE_USER,
    "assistant": _abi.ROLE_ASSISTANT,
    "tool": _abi.ROLE_TOOL,
}
_EFFORTS = {
    None: _abi.EFFORT_DEFAULT,
    "low": _abi.EFFORT_LOW,
    "medium": _abi.EFFORT_MEDIUM,
    "high": _abi.EFFORT_HIGH,
}


class Conversation(Handle):
    """Messages, tools and settings. The methods that add return the conversation."""

    _release = lib.vitalis_conversation_release

    def __init__(self) -> None:
        out = ctypes.c_void_p()
        check(lib.vitalis_conversation_create(ctypes.byref(out)))
        super().__init__(out.value)
        self._tools: Set[str] = set()

    def __len__(self) -> int:
        """Messages after the system's and the developer's."""
        return int(lib.vitalis_conversation_size(self.handle))

    def __bool__(self) -> bool:
        return True

    def set_system(self, *, reasoning_effort: Optional[str] = None, identity: Optional[str] = None,
                   knowledge_cutoff: Optional[str] = None,
                   current_date: Optional[str] = None) -> "Conversation":
        """The system message, always first; replaces what was set. The effort is "low", "medium" or
        "high". The library has no clock: without `current_date` ("2026-01-31") the model is told
        none."""
        if reasoning_effort not in _EFFORTS:
            raise ValueError(f'reasoning_effort is "low", "medium" or "high", '
                             f"not {reasoning_effort!r}")
        system = filled(_abi.System)
        system.reasoning_effort = _EFFORTS[reasoning_effort]
        system.identity = c_string(identity, "identity")
        system.knowledge_cutoff = c_string(knowledge_cutoff, "knowledge_cutoff")
        system.current_date = c_string(current_date, "current_date")
        check(lib.vitalis_conversation_set_system(self.handle, ctypes.byref(system)))
        return self

    def set_instructions(self, text: str) -> "Conversation":
        """The developer's instructions, a "system prompt" elsewhere; "" takes them away."""
        data = encoded(text)
        check(lib.vitalis_conversation_set_instructions(self.handle, data, len(data)))
        return self

    def add_tool(self, name: str, description: str = "",
                 parameters: Optional[Mapping[str, Any]] = None) -> "Conversation":
        """Declares a function; `parameters` is a JSON Schema."""
        schema = None if parameters is None else json.dumps(parameters, ensure_ascii=False)
        check(lib.vitalis_conversation_add_tool(
            self.handle, c_string(name, "name"), c_string(description, "description"),
            c_string(schema, "parameters")))
        self._tools.add(name)
        return self

    def declare(self, tools: Sequence[Mapping[str, Any]]) -> "Conversation":
        """Adds those tools, as OpenAI writes them, whose names are not declared yet."""
        for tool in tools:
            function = tool["function"]
            if function["name"] not in self._tools:
                self.add_tool(function["name"], function.get("description", ""),
                              function.get("parameters"))
        return self

    def add(self, role: str, text: str, *, name: Optional[str] = None,
            recipient: Optional[str] = None, channel: Optional[str] = None,
            content_type: Optional[str] = None) -> "Conversation":
        """Adds a message by its parts."""
        if role not in _ROLES:
            raise ValueError(f"role is one of {', '.join(_ROLES)}, not {role!r}")
        data = encoded(text)
        message = filled(_abi.Message)
        message.role = _ROLES[role]
        message.name = c_string(name, "name")
        message.recipient = c_string(recipient, "recipient")
        message.channel = c_string(channel, "channel")
        message.content_type = c_string(content_type, "content_type")
        message.text = data
        message.text_size = len(data)
        check(lib.vitalis_conversation_add_message(self.handle, ctypes.byref(message)))
        return self

    def user(self, text: str) -> "Conversation":
        return self.add("user", text)

    def add_tool_result(self, name: str, text: str) -> "Conversation":
        """The answer to the call of `name`, such as "functions.get_weather"."""
        data = encoded(text)
        check(lib.vitalis_conversation_add_tool_result(
            self.handle, c_string(name, "name"), data, len(data)))
        return self

    def load(self, messages: Union[str, Sequence[Mapping[str, Any]]],
             tools: Sequence[Mapping[str, Any]] = ()) -> "Conversation":
        """Adds messages and tools in the form of OpenAI's chat completions, or a user's text.
        Nothing is added if there is an error, which names what is wrong: "messages[2].role"."""
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        request = {"messages": list(messages)}
        if tools:
            request["tools"] = list(tools)
        data = encoded(json.dumps(request, ensure_ascii=False))
        check(lib.vitalis_conversation_load_json(
            self.handle, _abi.JSON_CHAT, data, len(data)))
        return self

    def truncate(self, size: int) -> "Conversation":
        """Leaves the first `size` messages; settings and tools stay."""
        if size < 0:
            raise ValueError("size is negative")
        check(lib.vitalis_conversation_truncate(self.handle, size))
        return self

    def render(self, model: "Model") -> List[int]:
        """The prompt that makes the model answer, as tokens."""
        return tokens_from(lambda *buffer: lib.vitalis_conversation_render(
            self.handle, model.tokenizer.handle, None, *buffer), 1024)
