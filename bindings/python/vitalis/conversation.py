# SPDX-License-Identifier: Apache-2.0
"""Who said what: text only, no model needed. One thread at a time."""

import ctypes
import json
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Set, Union

from . import _abi
from ._native import (Handle, bytes_from, c_string, check, chosen, encoded, filled, lib,
                      tokens_from)

if TYPE_CHECKING:
    from .model import Model
    from .tokenizer import Tokenizer

ROLES = {
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
_TOOL_CHOICES = {
    "auto": _abi.TOOL_CHOICE_AUTO,
    "none": _abi.TOOL_CHOICE_NONE,
    "required": _abi.TOOL_CHOICE_REQUIRED,
    "free": _abi.TOOL_CHOICE_FREE,
}
_FORMS = {
    "chat": _abi.JSON_CHAT,
    "responses": _abi.JSON_RESPONSES,
    "harmony": _abi.JSON_HARMONY,
}
_MODES = {
    "completion": _abi.RENDER_COMPLETION,
    "conversation": _abi.RENDER_CONVERSATION,
    "training": _abi.RENDER_TRAINING,
}


class Conversation(Handle):
    """Messages, tools and settings. The methods that add return the conversation."""

    _release = lib.vitalis_conversation_release

    def __init__(self) -> None:
        out = ctypes.c_void_p()
        check(lib.vitalis_conversation_create(ctypes.byref(out)))
        super().__init__(out.value)

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
        system = filled(_abi.System)
        system.reasoning_effort = chosen("reasoning_effort", reasoning_effort, _EFFORTS)
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
        return self

    def set_tool_choice(self, choice: Union[str, Mapping[str, Any]]) -> "Conversation":
        """What answers are held to: "auto" (calls or an answer), "none", "required" (a call), a
        function as OpenAI writes it, {"type": "function", "function": {"name": …}}, or "free":
        whatever the model says. But for that, calls fit the tools' schemas."""
        if isinstance(choice, Mapping):
            name = choice.get("function", choice).get("name")
            if choice.get("type") != "function" or not isinstance(name, str):
                raise ValueError('tool_choice needs "type": "function" and a name')
            check(lib.vitalis_conversation_set_tool_choice(
                self.handle, _abi.TOOL_CHOICE_FUNCTION, c_string(name, "tool_choice")))
        else:
            check(lib.vitalis_conversation_set_tool_choice(
                self.handle, chosen("tool_choice", choice, _TOOL_CHOICES), None))
        return self

    def set_response_schema(self, schema: Optional[Mapping[str, Any]],
                            name: Optional[str] = None) -> "Conversation":
        """Holds the final message to a JSON Schema, None to nothing. With a name the instructions
        show it to the model."""
        if schema is None:
            check(lib.vitalis_conversation_set_response_schema(self.handle, None, None, 0))
            return self
        text = encoded(json.dumps(schema, ensure_ascii=False))
        check(lib.vitalis_conversation_set_response_schema(
            self.handle, c_string(name, "name"), text, len(text)))
        return self

    def declare(self, tools: Sequence[Mapping[str, Any]]) -> "Conversation":
        """Adds those tools, as OpenAI writes them, whose names are not declared yet."""
        declared = self._functions() if tools else set()
        for tool in tools:
            function = tool["function"]
            if function["name"] not in declared:
                self.add_tool(function["name"], function.get("description", ""),
                              function.get("parameters"))
                declared.add(function["name"])
        return self

    def _functions(self) -> Set[str]:
        """The names of the declared functions, however they came here."""
        return {tool["name"] for message in json.loads(self.to_json())["messages"]
                if isinstance(message["content"], list)
                for part in message["content"]
                for space in part.get("tools", ()) if space.get("name") == "functions"
                for tool in space["tools"]}

    def add(self, role: str, text: str, *, name: Optional[str] = None,
            recipient: Optional[str] = None, channel: Optional[str] = None,
            content_type: Optional[str] = None) -> "Conversation":
        """Adds a message by its parts."""
        data = encoded(text)
        message = filled(_abi.Message)
        message.role = chosen("role", role, ROLES)
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
             tools: Sequence[Mapping[str, Any]] = (), *,
             response_format: Optional[Mapping[str, Any]] = None) -> "Conversation":
        """Adds messages, tools and a response format in the form of OpenAI's chat completions, or
        a user's text. Nothing is added if there is an error, which names what is wrong:
        "messages[2].role"."""
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        request: Dict[str, Any] = {"messages": list(messages)}
        if tools:
            request["tools"] = list(tools)
        if response_format is not None:
            request["response_format"] = response_format
        return self.load_json(request)

    def load_json(self, data: Union[str, bytes, Mapping[str, Any]],
                  form: str = "chat") -> "Conversation":
        """Adds messages, tools and settings from JSON, as text or as what json.loads makes of it.
        The form is "chat" ({"messages": …, "tools": …}) or "responses" ({"input": …,
        "instructions": …}) as OpenAI writes them, or "harmony", whose settings and tools take the
        place of those that are there. Nothing changes if there is an error; it is a ValueError that
        names the place, "messages[3].tool_calls[0]"."""
        text = encoded(_json_text(data))
        check(lib.vitalis_conversation_load_json(
            self.handle, chosen("form", form, _FORMS), text, len(text)))
        return self

    def to_json(self) -> str:
        """All of it as the JSON text that load_json(…, "harmony") takes, without loss."""
        return bytes_from(lambda *buffer: lib.vitalis_conversation_to_json(
            self.handle, *buffer), 1024).decode("utf-8")

    def truncate(self, size: int) -> "Conversation":
        """Leaves the first `size` messages; settings and tools stay."""
        if size < 0:
            raise ValueError("size is negative")
        check(lib.vitalis_conversation_truncate(self.handle, size))
        return self

    def render(self, model: Union["Model", "Tokenizer"], *, mode: str = "completion",
               keep_analysis: bool = False, retokenize: bool = False) -> List[int]:
        """The conversation as tokens; by default the prompt that makes the model answer.

        `mode`: "completion" ends in the start of the assistant's message, "conversation" has the
        messages alone, in "training" a last final message ends in "<|return|>". `keep_analysis`
        has the reasoning of finished turns too. `retokenize` renders replies from their fields, not
        from the tokens that were sampled."""
        tokenizer = getattr(model, "tokenizer", model)
        options = filled(_abi.RenderOptions)
        options.mode = chosen("mode", mode, _MODES)
        options.keep_analysis = keep_analysis
        options.retokenize = retokenize
        return tokens_from(lambda *buffer: lib.vitalis_conversation_render(
            self.handle, tokenizer.handle, ctypes.byref(options), *buffer), 1024)


def render_template(request: Union[str, bytes, Mapping[str, Any]], *,
                    current_date: Optional[str] = None, generation_prompt: bool = True,
                    reasoning_effort: Optional[str] = None,
                    model_identity: Optional[str] = None) -> str:
    """The prompt as the model's chat_template.jinja makes it from a chat-completions request, to
    compare with programs that use it. The template always shows a date ("2026-01-31"). What spells
    control tokens becomes control tokens when it is encoded as special; Conversation.render has no
    such hole. ValueError where the template raises."""
    options = filled(_abi.TemplateOptions)
    options.no_generation_prompt = not generation_prompt
    options.current_date = c_string(current_date, "current_date")
    options.reasoning_effort = c_string(reasoning_effort, "reasoning_effort")
    options.model_identity = c_string(model_identity, "model_identity")
    text = encoded(_json_text(request))
    return bytes_from(lambda *buffer: lib.vitalis_template_render(
        text, len(text), ctypes.byref(options), *buffer), 4096).decode("utf-8")


def _json_text(data: Union[str, bytes, Mapping[str, Any]]) -> Union[str, bytes]:
    if isinstance(data, (str, bytes)):
        return data
    return json.dumps(data, ensure_ascii=False)
