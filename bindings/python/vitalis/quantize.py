# SPDX-License-Identifier: Apache-2.0
"""A model written again with its dense part in eight bits."""

import ctypes
import os
from dataclasses import dataclass
from typing import Iterator, Optional, Union

from . import _abi
from ._native import Handle, c_path, check, filled, lib, str_of
from .model import Engine

_Path = Union[str, "os.PathLike[str]"]
_STAGES = {_abi.QUANTIZE_WRITING: "writing", _abi.QUANTIZE_COMPARING: "comparing",
           _abi.QUANTIZE_MEASURING: "measuring", _abi.QUANTIZE_DONE: "done"}


@dataclass(frozen=True)
class QuantizeProgress:
    stage: str  # "writing", "comparing", "measuring", "done"
    done: int   # of the stage: bytes, or tokens
    total: int
    file: str


@dataclass(frozen=True)
class QuantizeReport:
    tokens: int        # of the text that both models read; 0: not compared
    source_bytes: int  # of weight files, as the next three
    target_bytes: int
    shared_bytes: int  # of these, that take no room of their own
    resumed_bytes: int
    decode_bytes_before: int  # weights read for one token
    decode_bytes_after: int
    divergence: float  # mean KL divergence from the model's distributions, in nats
    divergence_worst: float
    agreement: float  # share of tokens with the same most probable next one
    tokens_per_second_before: float  # foretold; 0 unless probed
    tokens_per_second_after: float


class Quantization(Handle):
    """Writes the model in one folder again into another, which appears when all is done:

        report = Quantization("gpt-oss-20b", "gpt-oss-20b-q8").run()

    Iterating yields its progress. What a stopped run has written, the same call goes on from."""

    _release = lib.vitalis_quantization_release

    def __init__(self, path: _Path, out: _Path, *, engine: Optional[Engine] = None,
                 compare: bool = True, probe: bool = False) -> None:
        """`compare`: run both models on a built-in text. `probe`: measure this machine's speed,
        for four seconds."""
        self.engine = engine or Engine()
        options = filled(_abi.QuantizeOptions)
        options.flags = ((0 if compare else _abi.QUANTIZE_NO_COMPARISON)
                         | (_abi.QUANTIZE_PROBE if probe else 0))
        handle = ctypes.c_void_p()
        check(lib.vitalis_quantization_create(self.engine.handle, c_path(path, "path"),
                                              c_path(out, "out"), ctypes.byref(options),
                                              ctypes.byref(handle)))
        super().__init__(handle.value)

    def __iter__(self) -> Iterator[QuantizeProgress]:
        """Ends when all is done, or after cancel()."""
        while True:
            progress = filled(_abi.QuantizeProgress)
            status = check(lib.vitalis_quantization_next(self.handle, ctypes.byref(progress)))
            if status == _abi.CANCELLED:
                return
            yield QuantizeProgress(_STAGES[progress.stage], progress.done, progress.total,
                                   str_of(progress.file))
            if status != _abi.OK:
                return

    def run(self) -> QuantizeReport:
        """To its end."""
        for _ in self:
            pass
        return self.report

    def cancel(self) -> None:
        """Any thread. Another run() goes on."""
        lib.vitalis_quantization_cancel(self.handle)

    @property
    def report(self) -> QuantizeReport:
        """InvalidArgumentError before all is done."""
        report = filled(_abi.QuantizeReport)
        check(lib.vitalis_quantization_get_report(self.handle, ctypes.byref(report)))
        return QuantizeReport(**{name: getattr(report, name)
                                 for name in QuantizeReport.__dataclass_fields__})
