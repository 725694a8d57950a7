# SPDX-License-Identifier: Apache-2.0
"""A context's memory, and generation. One thread at a time; cancel() from any."""

import ctypes
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generator, Optional, Sequence

from . import _abi
from ._interrupt import Interruptible
from ._native import Handle, check, filled, lib, token_array
from .conversation import Conversation
from .events import Event, Finished, event_of

if TYPE_CHECKING:
    from .model import Model


@dataclass(frozen=True)
class SessionMemory:
    """Bytes that a session takes besides the mapped weights."""

    context: int
    kv_bytes: int
    scratch_bytes: int


@dataclass(frozen=True)
class Usage:
    """Of the answer in progress or the last one. Seconds are wall time inside the library."""

    context_used: int
    prompt_tokens: int
    reused_tokens: int
    generated_tokens: int
    reasoning_tokens: int
    seed: int
    prefill_seconds: float
    first_token_seconds: float
    decode_seconds: float


def session_options(context: Optional[int], chunk: Optional[int]) -> Any:
    options = filled(_abi.SessionOptions)
    options.context = _whole("context", context, 2**32 - 1)
    options.chunk = _whole("chunk", chunk, 2**32 - 1)
    return options


def generate_options(*, max_tokens: Optional[int] = None, temperature: Optional[float] = None,
                     top_p: Optional[float] = None, top_k: Optional[int] = None,
                     min_p: Optional[float] = None, seed: Optional[int] = None) -> Any:
    """The C options. None is the library's default; there 0 is too, which here has its own meaning:
    temperature 0 takes the most probable token, and seed 0 is as good a seed as any other."""
    options = filled(_abi.GenerateOptions)
    options.max_tokens = _whole("max_tokens", max_tokens, 2**32 - 1)
    options.top_k = _whole("top_k", top_k, 2**32 - 1, lowest=0)
    options.seed = _whole("seed", seed, 2**64 - 1, lowest=0)
    if seed == 0:
        options.seed = 2**64 - 1
    if temperature == 0:
        options.sampling = _abi.SAMPLE_GREEDY
    elif temperature is not None:
        options.temperature = temperature
    if top_p is not None:
        if not 0 < top_p <= 1:
            raise ValueError(f"top_p lies in 0 < top_p <= 1, unlike {top_p}")
        options.top_p = top_p
    if min_p is not None:
        options.min_p = min_p
    return options


def _whole(name: str, value: Optional[int], highest: int, lowest: int = 1) -> int:
    if value is None:
        return 0
    if not lowest <= value <= highest:
        raise ValueError(f"{name} lies in {lowest} … {highest}, unlike {value}")
    return value


class Session(Handle):
    """Keeps the tokens of one conversation, so that the next prompt computes only what is new."""

    _release = lib.vitalis_session_release

    def __init__(self, model: "Model", *, context: Optional[int] = None,
                 chunk: Optional[int] = None) -> None:
        """Memory for `context` tokens, 16384 by default; prompts are computed in `chunk` tokens."""
        out = ctypes.c_void_p()
        check(lib.vitalis_session_create(
            model.handle, ctypes.byref(session_options(context, chunk)), ctypes.byref(out)))
        super().__init__(out.value)
        self._vocab = model.info.vocab
        self._answers = 0

    def generate(self, conversation: Conversation, *, max_tokens: Optional[int] = None,
                 temperature: Optional[float] = None, top_p: Optional[float] = None,
                 top_k: Optional[int] = None, min_p: Optional[float] = None,
                 seed: Optional[int] = None) -> Generator[Event, None, None]:
        """Begins an answer and yields its events, Finished last. Tokens are computed as events are
        asked for. Closing the generator, or leaving its loop, ends the answer; the next generate()
        on this session does too. Ctrl-C stops it within a layer's time."""
        options = generate_options(max_tokens=max_tokens, temperature=temperature, top_p=top_p,
                                   top_k=top_k, min_p=min_p, seed=seed)
        check(lib.vitalis_session_start(self.handle, conversation.handle, ctypes.byref(options)))
        self._answers += 1
        return self._events(self._answers)

    def _events(self, answer: int) -> Generator[Event, None, None]:
        # A reference of its own, so that close() in another thread cannot take the session away.
        handle = lib.vitalis_session_retain(self.handle)
        event = filled(_abi.Event)
        next_event, where = lib.vitalis_session_next, ctypes.byref(event)
        finished = False
        try:
            with Interruptible(lambda: lib.vitalis_session_cancel(handle)) as interruptible:
                while self._answers == answer:
                    status = check(interruptible.call(next_event, handle, where))
                    if status == _abi.CANCELLED:
                        finished = True
                        yield Finished("cancelled")
                        return
                    if status == _abi.DONE:
                        finished = True
                        return
                    known = event_of(event)
                    if known is not None:
                        yield known
        finally:
            if not finished and self._answers == answer:
                lib.vitalis_session_cancel(handle)
            lib.vitalis_session_release(handle)

    def cancel(self) -> None:
        """Stops the answer in progress, if there is one; its events then end with
        Finished("cancelled"). From any thread, any time."""
        lib.vitalis_session_cancel(self.handle)

    def add_reply(self, conversation: Conversation) -> None:
        """Adds the answer so far to a conversation, exactly as it was generated."""
        check(lib.vitalis_session_add_reply(self.handle, conversation.handle))

    def reset(self) -> None:
        """Forgets all tokens; the memory is kept."""
        self._answers += 1
        check(lib.vitalis_session_reset(self.handle))

    @property
    def usage(self) -> Usage:
        usage = filled(_abi.Usage)
        check(lib.vitalis_session_get_usage(self.handle, ctypes.byref(usage)))
        return Usage(**{field: getattr(usage, field) for field in Usage.__dataclass_fields__})

    def forward(self, tokens: Sequence[int], *, every: bool = False) -> memoryview:
        """Appends tokens to the session's memory and gives raw logits as 32-bit floats: of the last
        token, [vocab], or of every one, [tokens, vocab]. numpy.asarray() takes it as it is."""
        self._answers += 1
        ids = token_array(tokens)
        count = len(ids)
        rows = count if every else 1
        logits = array("f", bytes(4 * rows * self._vocab))
        into = (ctypes.c_float * len(logits)).from_buffer(logits) if rows else None
        check(lib.vitalis_session_forward(
            self.handle, ids, count,
            _abi.FORWARD_ALL if every else 0, into, len(logits)))
        view = memoryview(logits)
        return view.cast("B").cast("f", shape=[rows, self._vocab]) if every else view
