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
    from .session import Logprob, Session

_log = logging.getLogger("vitalis")
_REASONS = {"tool_call": "tool_calls"}


class _Shape:
    def model_dump(self) -> Dict[str, Any]:
        """As plain dictionaries and lists, ready for JSON."""
        return asdict(self)


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
class TopLogprob(_Shape):
    """A token's natural log-probability by the model alone, before temperature and penalties."""

    token: str  # as text, with U+FFFD for a part of a character
    logprob: float
    bytes: List[int]


@dataclass
class TokenLogprob(TopLogprob):
    top_logprobs: List[TopLogprob]


@dataclass
class Logprobs(_Shape):
    """Of the tokens of `content`: reasoning and calls have none."""

    content: List[TokenLogprob]
    refusal: None = None


@dataclass
class Choice(_Shape):
    message: Message
    finish_reason: str
    index: int = 0
    logprobs: Optional[Logprobs] = None


@dataclass
class ChunkChoice(_Shape):
    delta: Message
    finish_reason: Optional[str] = None
    index: int = 0
    logprobs: Optional[Logprobs] = None


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
               presence_penalty: Optional[float] = None,
               frequency_penalty: Optional[float] = None,
               logit_bias: Optional[Mapping[Union[int, str], float]] = None,
               logprobs: Optional[bool] = None, top_logprobs: Optional[int] = None,
               current_date: Optional[str] = None
               ) -> Union[ChatCompletion, Generator[ChatCompletionChunk, None, None]]:
        """One answer: a ChatCompletion, or with `stream` a generator of ChatCompletionChunk.

        Tools are OpenAI's schemas or functions, whose schema is taken; they are not run here (see
        model.chat). Calls fit them: `tool_choice` is "auto", "none", "required", a function as
        OpenAI names it, or "free" to hold the model to nothing. `response_format` as OpenAI's.
        `logprobs` are of the tokens of the content, with so many `top_logprobs` each. `model` is
        only repeated in the result."""
        schemas = [tool_schema(tool) if callable(tool) else tool for tool in tools or ()]
        conversation = Conversation().set_system(reasoning_effort=reasoning_effort,
                                                 current_date=current_date)
        conversation.load(messages, schemas, response_format=response_format)
        conversation.set_tool_choice(tool_choice)
        limit = max_completion_tokens if max_completion_tokens is not None else max_tokens
        if top_logprobs is not None and not logprobs:
            raise ValueError("top_logprobs needs logprobs=True")
        options = {"max_tokens": limit, "temperature": temperature, "top_p": top_p, "seed": seed,
                   "presence_penalty": presence_penalty, "frequency_penalty": frequency_penalty,
                   "logit_bias": ({int(token): bias for token, bias in logit_bias.items()}
                                  if logit_bias else None),
                   "logprobs": (top_logprobs or 0) if logprobs else None}
        head: Dict[str, Any] = {"id": "chatcmpl-" + uuid.uuid4().hex, "created": int(time.time()),
                "model": model or self._model.name}
        if stream:
            usage = bool(stream_options and stream_options.get("include_usage"))
            return self._stream(conversation, options, head, usage)
        with self._model.idle_session() as session:
            choice = _joined(self._deltas(session, conversation, options))
            return ChatCompletion(choices=[choice], usage=_usage(session), **head)

    def _stream(self, conversation: Conversation, options: Dict[str, Any], head: Dict[str, Any],
                usage: bool) -> Generator[ChatCompletionChunk, None, None]:
        with self._model.idle_session() as session:
            for choice in self._deltas(session, conversation, options):
                yield ChatCompletionChunk(choices=[choice], **head)
            if usage:
                yield ChatCompletionChunk(choices=[], usage=_usage(session), **head)


    def _deltas(self, session: "Session", conversation: Conversation,
                options: Dict[str, Any]) -> Generator[ChunkChoice, None, None]:
        top = options["logprobs"]
        for choice, event in _choices(session.generate(conversation, **options)):
            if top is not None and isinstance(event, Text) and choice.delta.content is not None:
                choice.logprobs = Logprobs([self._token(session.logprobs(index), top)
                                            for index in event.tokens])
            yield choice

    def _token(self, logprobs: Sequence["Logprob"], top: int) -> TokenLogprob:
        chosen, *others = [self._logprob(found) for found in logprobs]
        return TokenLogprob(chosen.token, chosen.logprob, chosen.bytes, others[:top])

    def _logprob(self, found: "Logprob") -> TopLogprob:
        data = self._model.token_bytes(found.token)
        return TopLogprob(data.decode("utf-8", "replace"), found.before, list(data))


def _choices(events: Iterable[Event]) -> Generator[Tuple[ChunkChoice, Optional[Event]], None, None]:
    """The deltas, each with the event that it comes from."""
    yield ChunkChoice(Message(role="assistant")), None
    calls, message = -1, None
    for event in events:
        if isinstance(event, Text):
            if event.channel == "analysis":
                yield ChunkChoice(Message(reasoning_content=event.text)), event
            else:
                yield ChunkChoice(Message(content=event.text)), event
        elif isinstance(event, ToolCallEvent):
            if event.message != message:
                message = event.message
                calls += 1
                name = event.recipient
                name = name[len("functions."):] if name.startswith("functions.") else name
                call = ToolCall("call_" + uuid.uuid4().hex[:24], FunctionCall(name), index=calls)
                yield ChunkChoice(Message(tool_calls=[call])), event
            call = ToolCall(None, FunctionCall(None, event.arguments), None, calls)
            yield ChunkChoice(Message(tool_calls=[call])), event
        elif isinstance(event, Diagnostic):
            _log.info("%s", event.text)
        elif isinstance(event, Finished):
            yield ChunkChoice(Message(), _REASONS.get(event.reason, event.reason)), event


def _joined(choices: Iterable[ChunkChoice]) -> Choice:
    whole, reason = Message(role="assistant"), "cancelled"
    logprobs: Optional[Logprobs] = None
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
        if choice.logprobs is not None:
            logprobs = logprobs or Logprobs([])
            logprobs.content += choice.logprobs.content
        reason = choice.finish_reason or reason
    return Choice(whole, reason, logprobs=logprobs)


def _usage(session: "Session") -> CompletionUsage:
    usage = session.usage
    return CompletionUsage(
        prompt_tokens=usage.prompt_tokens, completion_tokens=usage.generated_tokens,
        total_tokens=usage.prompt_tokens + usage.generated_tokens,
        prompt_tokens_details=PromptTokensDetails(usage.reused_tokens),
        completion_tokens_details=CompletionTokensDetails(usage.reasoning_tokens))
