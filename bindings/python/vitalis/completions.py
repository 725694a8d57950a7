# SPDX-License-Identifier: Apache-2.0
"""model.chat.completions.create(…): the shape of OpenAI's client, objects with attributes.

The analysis channel is `reasoning_content`, and `reasoning`, the name that other servers give it;
what the model says on the other channels is `content`.
"""

import logging
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import (TYPE_CHECKING, Any, Callable, Dict, Generator, Iterable, List, Mapping,
                    Optional, Sequence, Tuple, Union)

from .conversation import Conversation
from .events import Diagnostic, Event, Finished, Text
from .events import ToolCall as ToolCallEvent
from .tools import tool_schema

if TYPE_CHECKING:
    from .model import Model
    from .session import Session

_log = logging.getLogger("vitalis")
_REASONS = {"tool_call": "tool_calls"}


class _Shape:
    def model_dump(self) -> Dict[str, Any]:
        """As plain dictionaries and lists, ready for JSON."""
        return asdict(self)  # type: ignore[call-overload]


@dataclass
class FunctionCall(_Shape):
    name: Optional[str] = None
    arguments: str = ""


@dataclass
class ToolCall(_Shape):
    id: Optional[str] = None
    function: FunctionCall = field(default_factory=FunctionCall)
    type: Optional[str] = "function"
    index: int = 0


@dataclass
class Message(_Shape):
    """A whole answer, or as a delta a piece of one."""

    role: Optional[str] = None
    content: Optional[str] = None
    reasoning_content: Optional[str] = None
    tool_calls: Optional[List[ToolCall]] = None
    refusal: Optional[str] = None

    @property
    def reasoning(self) -> Optional[str]:
        return self.reasoning_content

    def model_dump(self) -> Dict[str, Any]:
        """Ready to go back among the messages of the next request."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass
class Choice(_Shape):
    message: Message
    finish_reason: str
    index: int = 0
    logprobs: None = None


@dataclass
class ChunkChoice(_Shape):
    delta: Message
    finish_reason: Optional[str] = None
    index: int = 0
    logprobs: None = None


@dataclass
class PromptTokensDetails(_Shape):
    cached_tokens: int


@dataclass
class CompletionTokensDetails(_Shape):
    reasoning_tokens: int


@dataclass
class CompletionUsage(_Shape):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails
    completion_tokens_details: CompletionTokensDetails


@dataclass
class ChatCompletion(_Shape):
    id: str
    created: int
    model: str
    choices: List[Choice]
    usage: CompletionUsage
    object: str = "chat.completion"


@dataclass
class ChatCompletionChunk(_Shape):
    id: str
    created: int
    model: str
    choices: List[ChunkChoice]
    usage: Optional[CompletionUsage] = None
    object: str = "chat.completion.chunk"


class Completions:
    def __init__(self, model: "Model") -> None:
        self._model = model

    def create(self, *, messages: Sequence[Mapping[str, Any]], model: Optional[str] = None,
               tools: Optional[Sequence[Union[Callable[..., Any], Mapping[str, Any]]]] = None,
               tool_choice: Union[str, Mapping[str, Any]] = "auto",
               response_format: Optional[Mapping[str, Any]] = None, stream: bool = False,
               stream_options: Optional[Mapping[str, Any]] = None,
               reasoning_effort: Optional[str] = None, max_tokens: Optional[int] = None,
               max_completion_tokens: Optional[int] = None, temperature: Optional[float] = None,
               top_p: Optional[float] = None, seed: Optional[int] = None,
               current_date: Optional[str] = None
               ) -> Union[ChatCompletion, Generator[ChatCompletionChunk, None, None]]:
        """One answer: a ChatCompletion, or with `stream` a generator of ChatCompletionChunk.

        Tools are OpenAI's schemas or functions, whose schema is taken; they are not run here (see
        model.chat). Calls fit them: `tool_choice` is "auto", "none", "required", a function as
        OpenAI names it, or "free" to hold the model to nothing. `response_format` as OpenAI's.
        `model` is only repeated in the result."""
        schemas = [tool_schema(tool) if callable(tool) else tool for tool in tools or ()]
        conversation = Conversation().set_system(reasoning_effort=reasoning_effort,
                                                 current_date=current_date)
        conversation.load(messages, schemas, response_format=response_format)
        conversation.set_tool_choice(tool_choice)
        limit = max_completion_tokens if max_completion_tokens is not None else max_tokens
        options = {"max_tokens": limit, "temperature": temperature, "top_p": top_p, "seed": seed}
        head = {"id": "chatcmpl-" + uuid.uuid4().hex, "created": int(time.time()),
                "model": model or self._model.name}
        if stream:
            usage = bool(stream_options and stream_options.get("include_usage"))
            return self._stream(conversation, options, head, usage)
        with self._model.idle_session() as session:
            message, reason = _joined(_deltas(session.generate(conversation, **options)))
            return ChatCompletion(choices=[Choice(message, reason)], usage=_usage(session), **head)

    def _stream(self, conversation: Conversation, options: Dict[str, Any], head: Dict[str, Any],
                usage: bool) -> Generator[ChatCompletionChunk, None, None]:
        with self._model.idle_session() as session:
            for choice in _deltas(session.generate(conversation, **options)):
                yield ChatCompletionChunk(choices=[choice], **head)
            if usage:
                yield ChatCompletionChunk(choices=[], usage=_usage(session), **head)


def _deltas(events: Iterable[Event]) -> Generator[ChunkChoice, None, None]:
    yield ChunkChoice(Message(role="assistant"))
    calls, message = -1, None
    for event in events:
        if isinstance(event, Text):
            part = "reasoning_content" if event.channel == "analysis" else "content"
            yield ChunkChoice(Message(**{part: event.text}))
        elif isinstance(event, ToolCallEvent):
            if event.message != message:
                message = event.message
                calls += 1
                name = event.recipient
                name = name[len("functions."):] if name.startswith("functions.") else name
                call = ToolCall("call_" + uuid.uuid4().hex[:24], FunctionCall(name), index=calls)
                yield ChunkChoice(Message(tool_calls=[call]))
            call = ToolCall(None, FunctionCall(None, event.arguments), None, calls)
            yield ChunkChoice(Message(tool_calls=[call]))
        elif isinstance(event, Diagnostic):
            _log.info("%s", event.text)
        elif isinstance(event, Finished):
            yield ChunkChoice(Message(), _REASONS.get(event.reason, event.reason))


def _joined(choices: Iterable[ChunkChoice]) -> Tuple[Message, str]:
    whole, reason = Message(role="assistant"), "cancelled"
    for choice in choices:
        delta = choice.delta
        if delta.content is not None:
            whole.content = (whole.content or "") + delta.content
        if delta.reasoning_content is not None:
            whole.reasoning_content = (whole.reasoning_content or "") + delta.reasoning_content
        for call in delta.tool_calls or ():
            whole.tool_calls = whole.tool_calls or []
            if call.id is not None:
                whole.tool_calls.append(call)
            else:
                whole.tool_calls[call.index].function.arguments += call.function.arguments
        reason = choice.finish_reason or reason
    return whole, reason


def _usage(session: "Session") -> CompletionUsage:
    usage = session.usage
    return CompletionUsage(
        prompt_tokens=usage.prompt_tokens, completion_tokens=usage.generated_tokens,
        total_tokens=usage.prompt_tokens + usage.generated_tokens,
        prompt_tokens_details=PromptTokensDetails(usage.reused_tokens),
        completion_tokens_details=CompletionTokensDetails(usage.reasoning_tokens))
