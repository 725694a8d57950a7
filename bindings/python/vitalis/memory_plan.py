# SPDX-License-Identifier: Apache-2.0
"""What running a model would take, from its headers alone: no weight is read."""

import ctypes
import os
from dataclasses import dataclass
from typing import Optional, Union

from . import _abi
from ._native import c_path, check, filled, lib, whole
from .errors import ModelNotFoundError, NotFoundError
from .model import Engine

_FITS = {_abi.FIT_WHOLE: "fits", _abi.FIT_PAGED: "reads again", _abi.FIT_NONE: "does not fit"}


@dataclass(frozen=True)
class Plan:
    """`fit` is "fits" if the peak fits into the room, "reads again" if weights would be read from
    disk again and again, "does not fit" if the sessions alone do not."""

    fit: str
    context: int  # this and the next two with their defaults filled in
    chunk: int
    sequences: int
    largest_context: int  # whose peak fits; 0: none
    mapped_bytes: int  # of the weight files
    hot_bytes: int  # of them, what tokens read again and again
    kv_bytes: int  # of all sequences, as the next
    scratch_bytes: int
    peak_bytes: int  # the three together: what a run keeps in memory, besides the interpreter
    decode_bytes: int  # weights read for one token
    memory_total: int  # of the machine; 0: not known
    memory_limit: int  # of this process's control groups; 0: none
    memory_available: int  # now; 0: not known
    room_bytes: int  # what `fit` was judged by: the budget or what is available
    tokens_per_second: float  # of one sequence that begins; 0 without a probe
    tokens_per_second_full: float  # of one with a full context


def plan(path: Union[str, "os.PathLike[str]"], *, engine: Optional[Engine] = None,
         context: Optional[int] = None, chunk: Optional[int] = None,
         sequences: Optional[int] = None, memory_budget_mib: Optional[int] = None,
         probe: bool = False) -> Plan:
    """What `sequences` sessions at once (1 by default) on the model at `path` would take with an
    engine, by default one of all cores. `fit` is judged by the budget, or by what this machine has
    free. With `probe` its speed is measured, for two seconds. Errors are those of Model."""
    options = filled(_abi.PlanOptions)
    options.context = whole("context", context)
    options.chunk = whole("chunk", chunk)
    options.sequences = whole("sequences", sequences)
    options.memory_budget_mib = whole("memory_budget_mib", memory_budget_mib)
    options.flags = _abi.PLAN_PROBE if probe else 0
    found = filled(_abi.Plan)
    own = engine or Engine()
    try:
        check(lib.vitalis_engine_plan(own.handle, c_path(path, "path"), ctypes.byref(options),
                                      ctypes.byref(found)))
    except NotFoundError as error:
        raise ModelNotFoundError(error.message) from None
    finally:
        if own is not engine:
            own.close()
    fields = {field: getattr(found, field) for field in Plan.__dataclass_fields__}
    fields["fit"] = _FITS[found.fit]
    return Plan(**fields)
