# SPDX-License-Identifier: Apache-2.0
"""A context's memory, and generation. One thread at a time; cancel() from any."""

import ctypes
import os
from array import array
from dataclasses import dataclass
from functools import partial
from typing import (TYPE_CHECKING, Any, Generator, List, Mapping, Optional, Sequence, Tuple,
                    Union)

from . import _abi
from ._interrupt import Interruptible
from ._native import (Handle, bytes_of, c_path, check, checked_token, encoded, filled, lib,
                      token_array, whole)
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


@dataclass(frozen=True)
class Logprob:
    """A token's log-probability by the model alone, and in what was sampled from, after penalties,
    bias, temperature and the rest; -inf for what that excludes."""

    token: int
    before: float
    after: float


MOST_ALTERNATIVES = 20


def session_options(context: Optional[int], chunk: Optional[int],
                    memory_budget_mib: Optional[int]) -> Any:
    options = filled(_abi.SessionOptions)
    options.context = whole("context", context)
    options.chunk = whole("chunk", chunk)
    options.memory_budget_mib = whole("memory_budget_mib", memory_budget_mib)
    return options


def generate_options(*, max_tokens: Optional[int] = None, temperature: Optional[float] = None,
                     top_p: Optional[float] = None, top_k: Optional[int] = None,
                     min_p: Optional[float] = None, seed: Optional[int] = None,
                     repetition_penalty: Optional[float] = None,
                     presence_penalty: Optional[float] = None,
                     frequency_penalty: Optional[float] = None,
                     logit_bias: Optional[Mapping[int, float]] = None,
                     logprobs: Optional[int] = None) -> Any:
    """The C options. None is the library's default; there 0 is too, which here has its own meaning:
    temperature 0 takes the most probable token, and seed 0 is as good a seed as any other."""
    options = filled(_abi.GenerateOptions)
    options.max_tokens = whole("max_tokens", max_tokens)
    options.top_k = whole("top_k", top_k, lowest=0)
    options.seed = whole("seed", seed, 2**64 - 1, lowest=0)
    if seed is not None:
        options.flags |= _abi.GENERATE_SEED
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
    if repetition_penalty is not None:
        if not repetition_penalty > 0:
            raise ValueError(f"repetition_penalty is above 0, unlike {repetition_penalty}")
        options.repetition_penalty = repetition_penalty
    options.presence_penalty = presence_penalty or 0
    options.frequency_penalty = frequency_penalty or 0
    if logit_bias:
        biases = [_abi.LogitBias(checked_token(int(token)), value)
                  for token, value in logit_bias.items()]
        options.bias_count = len(biases)
        array_of_biases = (_abi.LogitBias * len(biases))(*biases)
        options.bias = ctypes.cast(array_of_biases, ctypes.c_void_p)
        options.keeps_bias = array_of_biases  # as long as the options live
    if logprobs is not None:
        options.flags |= _abi.GENERATE_LOGPROBS
        options.alternatives = whole("logprobs", logprobs, MOST_ALTERNATIVES, lowest=0)
    return options


class Session(Handle):
    """Keeps the tokens of one conversation, so that the next prompt computes only what is new."""

    _release = lib.vitalis_session_release

    def __init__(self, model: "Model", *, context: Optional[int] = None,
                 chunk: Optional[int] = None, memory_budget_mib: Optional[int] = None) -> None:
        """Memory for `context` tokens, 16384 by default; prompts are computed in `chunk` tokens. A
        budget is for the weights in use and the session together: without a context the largest
        that it holds is taken, and what it does not hold is an OutOfMemoryError with the plan."""
        out = ctypes.c_void_p()
        check(lib.vitalis_session_create(
            model.handle, ctypes.byref(session_options(context, chunk, memory_budget_mib)),
            ctypes.byref(out)))
        super().__init__(out.value)
        self._vocab = model.info.vocab
        self._answers = 0

    def generate(self, conversation: Conversation, *, max_tokens: Optional[int] = None,
                 temperature: Optional[float] = None, top_p: Optional[float] = None,
                 top_k: Optional[int] = None, min_p: Optional[float] = None,
                 seed: Optional[int] = None, repetition_penalty: Optional[float] = None,
                 presence_penalty: Optional[float] = None,
                 frequency_penalty: Optional[float] = None,
                 logit_bias: Optional[Mapping[int, float]] = None,
                 logprobs: Optional[int] = None) -> Generator[Event, None, None]:
        """Begins an answer and yields its events, Finished last. Tokens are computed as events are
        asked for. Closing the generator, or leaving its loop, ends the answer; the next generate()
        on this session does too. Ctrl-C stops it within a layer's time. `logprobs` keeps those of
        each token and of so many alternatives, for logprobs()."""
        options = generate_options(max_tokens=max_tokens, temperature=temperature, top_p=top_p,
                                   top_k=top_k, min_p=min_p, seed=seed,
                                   repetition_penalty=repetition_penalty,
                                   presence_penalty=presence_penalty,
                                   frequency_penalty=frequency_penalty, logit_bias=logit_bias,
                                   logprobs=logprobs)
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
            with Interruptible(partial(lib.vitalis_session_cancel, handle)) as interruptible:
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

    def resume(self) -> Generator[Event, None, None]:
        """The events still to come of an answer that was in progress when this session was saved or
        forked."""
        self._answers += 1
        return self._events(self._answers)

    def logprobs(self, index: int) -> List[Logprob]:
        """Of token `index` of the answer, as events count them: the token itself, then the most
        probable ones, if generate() was asked to keep them."""
        entries = (_abi.Logprob * (1 + MOST_ALTERNATIVES))()
        count = ctypes.c_size_t()
        check(lib.vitalis_session_get_logprobs(self.handle, index, entries, len(entries),
                                               ctypes.byref(count)))
        return [Logprob(entry.token, entry.before, entry.after) for entry in entries[:count.value]]

    def save(self, path: Union[str, "os.PathLike[str]"], note: Union[str, bytes] = b"") -> None:
        """Writes all that the session is to a file, an answer in progress too; an older file is
        replaced when the new one is whole. The note is yours, for example a conversation's
        to_json()."""
        data = encoded(note)
        with Interruptible(self.cancel) as interruptible:
            check(interruptible.call(lib.vitalis_session_save, self.handle, c_path(path, "path"),
                                     data, len(data)))

    def restore(self, path: Union[str, "os.PathLike[str]"]) -> bytes:
        """Becomes what a file holds, and gives its note; the session is as before if that fails.
        resume() goes on with an answer that was in progress."""
        self._answers += 1
        with Interruptible(self.cancel) as interruptible:
            check(interruptible.call(lib.vitalis_session_restore, self.handle,
                                     c_path(path, "path")))
        note = _abi.Text()
        check(lib.vitalis_session_get_note(self.handle, ctypes.byref(note)))
        return bytes_of(note)

    @property
    def progress(self) -> Tuple[int, int]:
        """Bytes done, and of how many, of the save() or restore() in progress or the last one. From
        any thread."""
        progress = filled(_abi.Progress)
        check(lib.vitalis_session_get_progress(self.handle, ctypes.byref(progress)))
        return progress.done, progress.total

    def fork(self) -> "Session":
        """Another session that is all that this one is, an answer in progress included."""
        out = ctypes.c_void_p()
        check(lib.vitalis_session_fork(self.handle, ctypes.byref(out)))
        forked = object.__new__(Session)
        Handle.__init__(forked, out.value)
        forked._vocab, forked._answers = self._vocab, 0
        return forked

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


class Batch(Handle):
    """Answers of several sessions made together: one step computes a token of each, so that the
    weights are read once for all. Each session gives what it gives alone."""

    _release = lib.vitalis_batch_release

    def __init__(self, model: "Model", *, sessions: Optional[int] = None,
                 chunk: Optional[int] = None) -> None:
        """For at most `sessions` at a time, 8 by default; `chunk` tokens are computed at once, of
        prompts and answers together."""
        options = filled(_abi.BatchOptions)
        options.sessions = whole("sessions", sessions)
        options.chunk = whole("chunk", chunk)
        out = ctypes.c_void_p()
        check(lib.vitalis_batch_create(model.handle, ctypes.byref(options), ctypes.byref(out)))
        super().__init__(out.value)

    def generate(self, answers: Sequence[Tuple[Session, Conversation]],
                 **options: Any) -> Generator[Tuple[int, Event], None, None]:
        """Begins an answer of each session to its conversation, with the options of
        Session.generate() for all, and yields (which of them, event) until all are finished."""
        started = [session.generate(conversation, **options) for session, conversation in answers]
        sessions = [session for session, _ in answers]
        numbers = [session._answers for session in sessions]
        count = len(started)
        handles = (ctypes.c_void_p * count)(*(session.handle for session in sessions))
        events = (_abi.Event * count)()
        for event in events:
            event.struct_size = ctypes.sizeof(_abi.Event)
        statuses = (ctypes.c_int32 * count)()

        def cancel() -> None:
            for session in sessions:
                lib.vitalis_session_cancel(session.handle)

        finished = count == 0
        try:
            with Interruptible(cancel) as interruptible:
                while not finished:
                    if numbers != [session._answers for session in sessions]:
                        raise ValueError("a session of the batch began another answer")
                    finished = _abi.DONE == check(interruptible.call(
                        lib.vitalis_batch_next, self.handle, handles, count, events, statuses))
                    told = [(i, event_of(events[i])) for i in range(count) if statuses[i] == _abi.OK]
                    told += [(i, Finished("cancelled")) for i in range(count)
                             if statuses[i] == _abi.CANCELLED]
                    yield from ((i, event) for i, event in told if event is not None)
        finally:
            if not finished:
                cancel()
