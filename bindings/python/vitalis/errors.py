# SPDX-License-Identifier: Apache-2.0
"""What the library's error statuses become: one exception class each, all of them VitalisError.

Where Python has a kindred exception the class is that one too, so that `except ValueError` and
`except MemoryError` do what a reader expects.
"""

from typing import Dict, Type

from . import _abi


class VitalisError(Exception):
    """An error of the library: `code` is its status, `message` says what happened and where."""

    code: int = _abi.ERROR_INTERNAL

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class InternalError(VitalisError):
    """The library's own mistake."""


class InvalidArgumentError(VitalisError, ValueError):
    code = _abi.ERROR_INVALID_ARGUMENT


class NotFoundError(VitalisError, LookupError):
    code = _abi.ERROR_NOT_FOUND


class ModelNotFoundError(NotFoundError, FileNotFoundError):
    """The checkpoint, or a file of it, is not there."""


class InputOutputError(VitalisError, OSError):
    code = _abi.ERROR_IO


class MalformedError(VitalisError, ValueError):
    """A file or a text breaks the rules of its format."""

    code = _abi.ERROR_MALFORMED


class UnsupportedError(VitalisError):
    """Understood, but not something that this build or this CPU does."""

    code = _abi.ERROR_UNSUPPORTED


class OutOfMemoryError(VitalisError, MemoryError):
    code = _abi.ERROR_OUT_OF_MEMORY


class ContextFullError(VitalisError):
    """More tokens than the session holds."""

    code = _abi.ERROR_CONTEXT_FULL


class BusyError(VitalisError):
    """Another thread is using the object."""

    code = _abi.ERROR_BUSY


class NetworkError(VitalisError, ConnectionError):
    code = _abi.ERROR_NETWORK


class DeniedError(VitalisError, PermissionError):
    code = _abi.ERROR_DENIED


class IntegrityError(VitalisError):
    """A checksum differs."""

    code = _abi.ERROR_INTEGRITY


_CLASSES: Dict[int, Type[VitalisError]] = {
    error.code: error
    for error in (InternalError, InvalidArgumentError, NotFoundError, InputOutputError,
                  MalformedError, UnsupportedError, OutOfMemoryError, ContextFullError, BusyError,
                  NetworkError, DeniedError, IntegrityError)
}


def error_of(status: int, message: str) -> VitalisError:
    """The exception for a negative status, also for one that a newer library may give."""
    error = _CLASSES.get(status, VitalisError)(message)
    error.code = status
    return error
