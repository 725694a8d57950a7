# SPDX-License-Identifier: Apache-2.0
"""A model's tokens to events, for programs with an engine of their own. One thread at a time."""

import ctypes
from typing import Iterable, Iterator, List

from . import _abi
from ._native import Handle, c_string, check, checked_token, chosen, filled, lib
from .events import Event, event_of
from .tokenizer import Tokenizer

_POLICIES = {
    "resilient": _abi.PARSE_RESILIENT,
    "strict": _abi.PARSE_STRICT,
    "lenient": _abi.PARSE_LENIENT,
}


class Parser(Handle):
    """Keeps the state of one answer. `copy.copy(parser)` is a snapshot, to go back to."""

    _release = lib.vitalis_parser_release

    def __init__(self, tokenizer: Tokenizer, *, policy: str = "resilient", from_start: bool = False,
                 functions: Iterable[str] = ()) -> None:
        """`policy`: "resilient" never fails, loses no text and reports each repair as a Diagnostic;
        "strict" and "lenient" are openai/harmony's two modes, errors and oddities included. The
        tokens begin with what follows a prompt's "<|start|>assistant", or with `from_start` at
        "<|start|>". `functions` are the names of declared functions, to repair names with."""
        names = [c_string(name, "a function's name") for name in functions]
        array = (ctypes.c_char_p * len(names))(*names)
        options = filled(_abi.ParserOptions)
        options.policy = chosen("policy", policy, _POLICIES)
        options.from_start = from_start
        options.functions, options.function_count = ctypes.addressof(array), len(names)
        out = ctypes.c_void_p()
        check(lib.vitalis_parser_create(
            tokenizer.handle, ctypes.byref(options), ctypes.byref(out)))
        super().__init__(out.value)

    def clone(self) -> "Parser":
        """A second parser in the same state."""
        out = ctypes.c_void_p()
        check(lib.vitalis_parser_clone(self.handle, ctypes.byref(out)))
        parser = type(self).__new__(type(self))
        Handle.__init__(parser, out.value)
        return parser

    __copy__ = clone

    def push(self, token: int) -> List[Event]:
        """Takes one token and gives what it made known. MalformedError, a ValueError, under
        "strict" and "lenient" only: the token's index and the reference's kind of error."""
        check(lib.vitalis_parser_push(self.handle, checked_token(token)))
        return list(self._events())

    def finish(self) -> List[Event]:
        """The end of the tokens: closes what is open."""
        check(lib.vitalis_parser_finish(self.handle))
        return list(self._events())

    def parse(self, tokens: Iterable[int]) -> Iterator[Event]:
        """Yields the events of all these tokens and of their end."""
        for token in tokens:
            yield from self.push(token)
        yield from self.finish()

    def _events(self) -> Iterator[Event]:
        event = filled(_abi.Event)
        while check(lib.vitalis_parser_next(self.handle, ctypes.byref(event))) != _abi.DONE:
            known = event_of(event)
            if known is not None:
                yield known
