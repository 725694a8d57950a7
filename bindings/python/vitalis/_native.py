# SPDX-License-Identifier: Apache-2.0
"""The loaded library: found, compared with _abi.py, its functions declared.

Searched in this order: the file that VITALIS_LIBRARY names (and then nothing else), this package's
folder, the system's loader. ctypes lets go of the interpreter's lock during each call, so other
threads run, and may cancel, while tokens are computed.
"""

import ctypes
import os
import sys
from array import array
from pathlib import Path
from typing import Any, Iterable, List, Mapping, Optional, Union

from . import _abi
from .errors import error_of

_NAMES = {"darwin": "libvitalis.1.dylib", "win32": "vitalis.dll"}
_NAME = _NAMES.get(sys.platform, "libvitalis.so.1")


def _load() -> ctypes.CDLL:
    named = os.environ.get("VITALIS_LIBRARY")
    if named:
        return ctypes.CDLL(named)
    bundled = Path(__file__).resolve().parent / _NAME
    try:
        if not bundled.exists():
            return ctypes.CDLL(_NAME)
        # What a wheel brings along: loaded first, these are found by their names.
        for needed in sorted(bundled.parent.glob("lib*.so.*")):
            if needed != bundled:
                ctypes.CDLL(str(needed))
        return ctypes.CDLL(str(bundled))
    except OSError as error:
        raise ImportError(f"cannot load {_NAME}: {error}. Install it, or set VITALIS_LIBRARY to "
                          "its path.") from error


def _check_layouts() -> None:
    for struct, (size, offsets) in _abi.LAYOUTS.items():
        if ctypes.sizeof(struct) != size:
            raise ImportError(f"{struct.__name__} has {ctypes.sizeof(struct)} bytes here, {size} "
                              "in the interface: this platform's structs are laid out otherwise")
        for field, offset in offsets.items():
            if getattr(struct, field).offset != offset:
                raise ImportError(f"{struct.__name__}.{field} is not at byte {offset} here: this "
                                  "platform's structs are laid out otherwise")


def _declare(library: ctypes.CDLL) -> None:
    for name, (result, arguments) in _abi.FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{library._name} has no {name}: it is older than this package, or "
                              "something else") from None
        function.restype = result
        function.argtypes = arguments
    version = library.vitalis_abi_version()
    if version != _abi.ABI_VERSION:
        raise ImportError(f"{library._name} speaks ABI {version}, this package {_abi.ABI_VERSION}")


_check_layouts()
lib: Any = _load()
_declare(lib)
# Whether it is the one that a wheel brought, with libraries of another system than this.
is_bundled: bool = Path(lib._name).parent == Path(__file__).resolve().parent


def check(status: int) -> int:
    """Passes on what is no error, and raises what is one."""
    if status < 0:
        raise error_of(status, lib.vitalis_last_error().decode("utf-8", "replace"))
    return status


def filled(struct: Any) -> Any:
    """A zeroed struct with its size in it."""
    value = struct()
    value.struct_size = ctypes.sizeof(struct)
    return value


def bytes_of(text: _abi.Text) -> bytes:
    return ctypes.string_at(text.data, text.size) if text.size else b""


def str_of(text: _abi.Text) -> str:
    return bytes_of(text).decode("utf-8", "replace")


def encoded(text: Union[str, bytes]) -> bytes:
    if isinstance(text, str):
        return text.encode("utf-8")
    return text if isinstance(text, bytes) else bytes(memoryview(text))


def c_string(text: Optional[str], what: str) -> Optional[bytes]:
    """For text that ends with a NUL in C, which would cut it at a NUL of its own."""
    if text is None:
        return None
    if "\0" in text:
        raise ValueError(f"{what} holds a NUL character")
    return text.encode("utf-8")


def c_path(path: Union[str, "os.PathLike[str]", None], what: str) -> Optional[bytes]:
    return None if path is None else c_string(os.fspath(path), what)


def chosen(what: str, value: Any, choices: Mapping[Any, int]) -> int:
    """The number that the interface has for a word."""
    if value not in choices:
        names = ", ".join(repr(name) for name in choices)
        raise ValueError(f"{what} is one of {names}, not {value!r}")
    return choices[value]


def checked_token(token: int) -> int:
    """ctypes would cut off what does not fit."""
    if not 0 <= token < 2**32:
        raise ValueError(f"{token} is not a token")
    return token


def whole(name: str, value: Optional[int], highest: int = 2**32 - 1, lowest: int = 1) -> int:
    """A whole number of an option, where None is the default, and 0 there."""
    if value is None:
        return 0
    if not lowest <= value <= highest:
        raise ValueError(f"{name} lies in {lowest} … {highest}, unlike {value}")
    return value


def token_array(tokens: Iterable[int]) -> Any:
    """A C array of tokens."""
    try:
        ids = array("I", iter(tokens))
    except OverflowError as error:
        raise ValueError(f"what does not fit in 32 bits is not a token: {error}") from None
    return (ctypes.c_uint32 * len(ids)).from_buffer(ids)


def tokens_from(function: Any, guess: int) -> List[int]:
    """What function(buffer, capacity, count) writes, again with a larger buffer if it was too
    small."""
    tokens: List[int] = _written(ctypes.c_uint32, function, guess)
    return tokens


def bytes_from(function: Any, guess: int) -> bytes:
    """As tokens_from, for bytes."""
    data: bytes = _written(ctypes.c_char, function, guess)
    return data


def _written(kind: Any, function: Any, guess: int) -> Any:
    count = ctypes.c_size_t()
    capacity = guess
    while True:
        buffer = (kind * capacity)()
        check(function(buffer, capacity, ctypes.byref(count)))
        if count.value <= capacity:
            return buffer[:count.value]
        capacity = count.value


class Handle:
    """One reference to an object of the library, given back once: by close(), at the end of a
    `with` block, or when the Python object goes. The order does not matter."""

    _release: Any = None  # the function that gives it back

    def __init__(self, pointer: Optional[int]) -> None:
        self._pointer = pointer

    @property
    def handle(self) -> int:
        """The C handle, for use with ctypes; valid until close()."""
        if self._pointer is None:
            raise ValueError(f"this {type(self).__name__} is closed")
        return self._pointer

    def close(self) -> None:
        """Gives the object back; harmless if that was done before."""
        pointer, self._pointer = getattr(self, "_pointer", None), None
        if pointer is not None:
            self._release(pointer)

    def __reduce__(self) -> Any:
        """No copy or pickle: it would give the same reference back a second time."""
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
