# SPDX-License-Identifier: Apache-2.0
"""Whether a model's files are whole. One thread at a time; cancel() from any."""

import ctypes
import os
from dataclasses import dataclass
from typing import Iterator, List, Union

from . import _abi
from ._native import Handle, c_path, check, filled, lib, str_of
from .errors import ModelNotFoundError, NotFoundError

_OUTCOMES = ("pending", "good", "missing", "wrong size", "wrong digest", "unreadable")


@dataclass(frozen=True)
class VerifyProgress:
    """`files` are compared; 0 if no release is known, and the structure is all there is to check.
    `file` is being hashed; `release` is "openai/gpt-oss-20b at 6cee5e8", or ""."""

    files: int
    bytes_done: int
    bytes_total: int
    file: str
    release: str


@dataclass(frozen=True)
class VerifiedFile:
    """`outcome` is "pending", "good", "missing", "wrong size", "wrong digest" or "unreadable";
    `detail` says what is wrong; `size` is as it should be."""

    path: str
    size: int
    outcome: str
    detail: str


class Verification(Handle):
    """`for progress in Verification("gpt-oss-20b"): …` hashes a model's files and gives a
    VerifyProgress about ten times a second, the last when all is as it should be. Else
    IntegrityError, or NotFoundError if files are only missing, says what is wrong with each."""

    _release = lib.vitalis_verification_release

    def __init__(self, path: Union[str, "os.PathLike[str]"], *,
                 manifest: Union[str, "os.PathLike[str]", None] = None) -> None:
        """`path` is that of Model, whose errors are those of a broken structure. Files are held to
        the release that they are from, if it is known, or to the `manifest`, a JSON file:
        {"schema": 1, "repo": …, "commit": …, "files": [{"path": …, "size": …, "sha256": …}]}."""
        out = ctypes.c_void_p()
        try:
            check(lib.vitalis_verification_create(c_path(path, "path"),
                                                  c_path(manifest, "manifest"), ctypes.byref(out)))
        except NotFoundError as error:
            raise ModelNotFoundError(error.message) from None
        super().__init__(out.value)

    def __iter__(self) -> Iterator[VerifyProgress]:
        while True:
            progress = filled(_abi.VerifyProgress)
            status = check(lib.vitalis_verification_next(self.handle, ctypes.byref(progress)))
            if status == _abi.CANCELLED:
                return
            yield VerifyProgress(progress.files, progress.bytes_done, progress.bytes_total,
                                 str_of(progress.file), str_of(progress.release))
            if status == _abi.DONE:
                return

    def run(self) -> List[VerifiedFile]:
        """To its end; the files, of which some are "pending" after cancel()."""
        for _ in self:
            pass
        return self.files

    def cancel(self) -> None:
        """Ends the iteration within a tenth of a second; another goes on. Any thread."""
        lib.vitalis_verification_cancel(self.handle)

    @property
    def files(self) -> List[VerifiedFile]:
        """Those that are compared, as far as that is done; also after an error."""
        files: List[VerifiedFile] = []
        while True:
            file = filled(_abi.VerifiedFile)
            status = lib.vitalis_verification_get_file(self.handle, len(files), ctypes.byref(file))
            if status == _abi.ERROR_NOT_FOUND:
                return files
            check(status)
            files.append(VerifiedFile(str_of(file.path), file.size, _OUTCOMES[file.outcome],
                                      str_of(file.detail)))
