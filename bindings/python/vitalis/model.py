# SPDX-License-Identifier: Apache-2.0
"""An open checkpoint: mapped weights and the tokenizer. Any number of threads at once."""

import ctypes
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Tuple, Union

from . import _abi
from ._native import Handle, c_path, c_string, check, filled, lib, str_of
from .chat import Chat
from .errors import ModelNotFoundError, NotFoundError
from .session import Session, SessionMemory, session_options
from .tokenizer import Tokenizer

_NUMERICS = {"faithful": _abi.NUMERICS_FAITHFUL, "float32": _abi.NUMERICS_FLOAT32}


class Engine(Handle):
    """Threads and kernels, which several models may share."""

    _release = lib.vitalis_engine_release

    def __init__(self, *, threads: Optional[int] = None, tier: Optional[str] = None,
                 numerics: str = "faithful") -> None:
        """`threads`: by default the cores that this process may use. `tier`: "portable", "avx2",
        "avx512", "avx512bf16", "amx"; by default the fastest here. `numerics`: "float32" is slow, to
        judge "faithful" by."""
        if numerics not in _NUMERICS:
            raise ValueError(f"numerics is one of {', '.join(_NUMERICS)}, not {numerics!r}")
        options = filled(_abi.EngineOptions)
        options.threads = threads or 0
        options.tier = c_string(tier, "tier")
        options.numerics = _NUMERICS[numerics]
        out = ctypes.c_void_p()
        check(lib.vitalis_engine_create(ctypes.byref(options), ctypes.byref(out)))
        super().__init__(out.value)
        info = filled(_abi.EngineInfo)
        check(lib.vitalis_engine_get_info(self.handle, ctypes.byref(info)))
        self.threads: int = info.threads
        self.tier: str = info.tier.decode("utf-8")


@dataclass(frozen=True)
class ModelInfo:
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    experts: int
    experts_per_token: int
    vocab: int
    sliding_window: int
    context: int  # the longest the model was made for
    parameters: int
    mapped_bytes: int  # of the weight files
    decode_bytes: int  # weights read for one token
    tensors: int
    format: str


@dataclass(frozen=True)
class Tensor:
    name: str
    dtype: str
    shape: Tuple[int, ...]
    bytes: int
    file: str


class Model(Handle):
    """`with Model("gpt-oss-20b") as model: …`. The files are used in place and must stay as they
    are while the model is open.

    model.chat("…") yields an answer's events; model.chat.completions.create(messages=…) answers in
    the shape of OpenAI's client.
    """

    _release = lib.vitalis_model_release

    def __init__(self, path: Union[str, "os.PathLike[str]"], *, engine: Optional[Engine] = None,
                 threads: Optional[int] = None, tier: Optional[str] = None,
                 numerics: str = "faithful", context: Optional[int] = None,
                 memory_budget_mib: Optional[int] = None,
                 cache_folder: Union[str, "os.PathLike[str]", None] = None) -> None:
        """Opens a checkpoint's folder. Threads, tier and numerics are those of Engine, and not
        given with one; `context` is what chat() has room for, in tokens, and the budget that of
        Session; the `cache_folder` is that of Tokenizer."""
        own = threads is None and tier is None and numerics == "faithful"
        if engine is not None and not own:
            raise ValueError("threads, tier and numerics belong to the engine that is given")
        self.engine = engine or Engine(threads=threads, tier=tier, numerics=numerics)
        self.name = Path(path).resolve().name
        self._context = context
        self._memory_budget_mib = memory_budget_mib
        self._idle: List[Session] = []
        self._lock = threading.Lock()
        options = filled(_abi.ModelOptions)
        options.cache_folder = c_path(cache_folder, "cache_folder")
        out = ctypes.c_void_p()
        try:
            check(lib.vitalis_model_open(self.engine.handle, c_path(path, "path"),
                                         ctypes.byref(options), ctypes.byref(out)))
        except NotFoundError as error:
            raise ModelNotFoundError(error.message) from None
        super().__init__(out.value)
        info = filled(_abi.ModelInfo)
        check(lib.vitalis_model_get_info(self.handle, ctypes.byref(info)))
        fields = {field: getattr(info, field) for field in ModelInfo.__dataclass_fields__}
        fields["format"] = info.format.decode("utf-8")
        self.info = ModelInfo(**fields)
        self.tokenizer = Tokenizer.of_model(self)
        self.chat = Chat(self)

    def close(self) -> None:
        for session in getattr(self, "_idle", []):
            session.close()
        if hasattr(self, "tokenizer"):
            self.tokenizer.close()
        super().close()

    def tensors(self) -> Iterator[Tensor]:
        for index in range(self.info.tensors):
            info = filled(_abi.TensorInfo)
            check(lib.vitalis_model_get_tensor(self.handle, index, ctypes.byref(info)))
            yield Tensor(str_of(info.name), str_of(info.dtype),
                         tuple(info.shape[:info.dimensions]), info.bytes, str_of(info.file))

    def tokenize(self, text: Union[str, bytes], *, special: bool = False) -> List[int]:
        """tokenizer.encode(), which can do more."""
        return self.tokenizer.encode(text, special=special)

    def detokenize(self, tokens: Iterable[int]) -> str:
        """tokenizer.decode()."""
        return self.tokenizer.decode(tokens)

    def token_bytes(self, token: int) -> bytes:
        """tokenizer.token_bytes()."""
        return self.tokenizer.token_bytes(token)

    def special_token(self, name: str) -> int:
        """tokenizer.special()."""
        return self.tokenizer.special(name)

    def session(self, *, context: Optional[int] = None, chunk: Optional[int] = None,
                memory_budget_mib: Optional[int] = None) -> Session:
        """Memory for a conversation of your own; see Session."""
        return Session(self, context=context, chunk=chunk, memory_budget_mib=memory_budget_mib)

    def session_memory(self, *, context: Optional[int] = None, chunk: Optional[int] = None,
                       memory_budget_mib: Optional[int] = None) -> SessionMemory:
        """What such a session would take, without making it."""
        memory = filled(_abi.SessionMemory)
        check(lib.vitalis_session_plan(
            self.handle, ctypes.byref(session_options(context, chunk, memory_budget_mib)),
            ctypes.byref(memory)))
        return SessionMemory(memory.context, memory.kv_bytes, memory.scratch_bytes)

    @contextmanager
    def idle_session(self) -> Iterator[Session]:
        """Lends the session that was used last, or a new one if that is in use. One is kept, so
        that a conversation that goes on finds its tokens again."""
        with self._lock:
            session = self._idle.pop() if self._idle else None
        if session is None:
            session = self.session(context=self._context,
                                   memory_budget_mib=self._memory_budget_mib)
        try:
            yield session
        finally:
            with self._lock:
                kept = self._pointer is not None and not self._idle
                if kept:
                    self._idle.append(session)
            if not kept:
                session.close()
