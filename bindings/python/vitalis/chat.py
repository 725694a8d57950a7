# SPDX-License-Identifier: Apache-2.0
"""model.chat(…): one answer as events, with your functions run on the way."""

from typing import (TYPE_CHECKING, Any, Callable, Dict, Generator, List, Mapping, Optional,
                    Sequence, Tuple, Union)

from .completions import Completions
from .conversation import Conversation
from .events import Event, Finished, MessageBegin, MessageEnd, ToolCall, ToolResult
from .tools import call_tool, tool_schema

if TYPE_CHECKING:
    from .model import Model
    from .session import Session

Messages = Union[str, Sequence[Mapping[str, Any]], Conversation]
Tool = Union[Callable[..., Any], Mapping[str, Any]]


class Chat:
    """Callable; `completions` has the shape of OpenAI's client."""

    def __init__(self, model: "Model") -> None:
        self._model = model
        self.completions = Completions(model)

    def __call__(self, messages: Messages, *, tools: Sequence[Tool] = (), max_rounds: int = 8,
                 tool_choice: Union[str, Mapping[str, Any], None] = None,
                 response_format: Optional[Mapping[str, Any]] = None,
                 instructions: Optional[str] = None, reasoning_effort: Optional[str] = None,
                 current_date: Optional[str] = None, max_tokens: Optional[int] = None,
                 temperature: Optional[float] = None, top_p: Optional[float] = None,
                 top_k: Optional[int] = None, min_p: Optional[float] = None,
                 seed: Optional[int] = None, repetition_penalty: Optional[float] = None,
                 presence_penalty: Optional[float] = None,
                 frequency_penalty: Optional[float] = None,
                 logit_bias: Optional[Mapping[int, float]] = None
                 ) -> Generator[Event, None, None]:
        """Yields the events of an answer, Finished last and once.

        `messages` is a user's text, messages as OpenAI writes them, or a Conversation; the reply is
        added to that. Functions among `tools` are run when the model calls them, and the model goes
        on with their results, for at most `max_rounds` answers; their own exceptions come out of
        here. Tools that are schemas are yours to run: Finished("tool_call") then says that the
        model waits. `tool_choice` ("auto", "none", "required", a function, "free") is of the first
        answer; those after a call are free to call or to answer. A `response_format` as OpenAI
        writes it holds the final message to a schema. The effort ("low", "medium", "high") and the
        date replace a conversation's system message.
        """
        functions, schemas = _split(tools)
        options = {"max_tokens": max_tokens, "temperature": temperature, "top_p": top_p,
                   "top_k": top_k, "min_p": min_p, "seed": seed,
                   "repetition_penalty": repetition_penalty, "presence_penalty": presence_penalty,
                   "frequency_penalty": frequency_penalty, "logit_bias": logit_bias}
        own = not isinstance(messages, Conversation)
        conversation = messages if isinstance(messages, Conversation) else Conversation()
        if own or reasoning_effort is not None or current_date is not None:
            conversation.set_system(reasoning_effort=reasoning_effort, current_date=current_date)
        if instructions is not None:
            conversation.set_instructions(instructions)
        if not isinstance(messages, Conversation):
            conversation.load(messages, schemas, response_format=response_format)
        else:
            conversation.declare(schemas)
            if response_format is not None:
                conversation.load((), response_format=response_format)
        if tool_choice is not None:
            conversation.set_tool_choice(tool_choice)
        held_once = tool_choice not in (None, "free")
        return self._rounds(conversation, functions, max_rounds, options, held_once)

    def _rounds(self, conversation: Conversation, functions: Dict[str, Callable[..., Any]],
                max_rounds: int, options: Dict[str, Any],
                held_once: bool) -> Generator[Event, None, None]:
        with self._model.idle_session() as session:
            while True:
                calls: List[Tuple[str, str]] = []
                reason = yield from _answer(session, conversation, options, calls)
                session.add_reply(conversation)
                max_rounds -= 1
                if reason != "tool_call" or max_rounds <= 0 or not calls or not all(
                        name in functions for name, _ in calls):
                    yield Finished(reason)
                    return
                for name, arguments in calls:
                    result = call_tool(functions[name], arguments)
                    conversation.add_tool_result(name, result)
                    yield ToolResult(name, result)
                if held_once:
                    conversation.set_tool_choice("auto")


def _answer(session: "Session", conversation: Conversation, options: Dict[str, Any],
            calls: List[Tuple[str, str]]) -> Generator[Event, None, str]:
    """Yields one answer without its Finished, whose reason it returns, and collects the calls."""
    recipient, arguments = "", ""
    for event in session.generate(conversation, **options):
        if isinstance(event, Finished):
            return event.reason
        if isinstance(event, MessageBegin):
            recipient, arguments = "", ""
        elif isinstance(event, ToolCall):
            recipient, arguments = event.recipient, arguments + event.arguments
        elif isinstance(event, MessageEnd) and event.complete and recipient:
            calls.append((recipient, arguments))
        yield event
    return "cancelled"


def _split(tools: Sequence[Tool]) -> Tuple[Dict[str, Callable[..., Any]], List[Mapping[str, Any]]]:
    """Functions by the name that the model calls them by, and the schemas of all."""
    functions: Dict[str, Callable[..., Any]] = {}
    schemas: List[Mapping[str, Any]] = []
    for tool in tools:
        if callable(tool):
            schema = tool_schema(tool)
            functions["functions." + schema["function"]["name"]] = tool
            schemas.append(schema)
        else:
            schemas.append(tool)
    return functions, schemas
