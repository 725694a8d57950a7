# SPDX-License-Identifier: Apache-2.0
"""Text to tokens and back, also without a model's weights. Any number of threads at once."""

import ctypes
import os
from typing import Iterable, List, Optional, Union

from . import _abi
from ._native import Handle, bytes_of, c_string, check, encoded, filled, lib, tokens_from
from .errors import ModelNotFoundError, NotFoundError


class Tokenizer(Handle):
    """`Tokenizer("gpt-oss-20b")`, or a model's own as model.tokenizer."""

    _release = lib.vitalis_tokenizer_release

    def __init__(self, path: Union[str, "os.PathLike[str]"], *,
                 cache_folder: Optional[str] = None) -> None:
        """`path` is a tokenizer.json, or a folder with one. With a `cache_folder` a compiled form
        is kept there, which opens faster."""
        out = ctypes.c_void_p()
        try:
            check(lib.vitalis_tokenizer_open(
                c_string(os.fspath(path), "path"), c_string(cache_folder, "cache_folder"),
                ctypes.byref(out)))
        except NotFoundError as error:
            raise ModelNotFoundError(error.message) from None
        super().__init__(out.value)

    @classmethod
    def of_model(cls, model: Handle) -> "Tokenizer":
        out = ctypes.c_void_p()
        check(lib.vitalis_model_get_tokenizer(model.handle, ctypes.byref(out)))
        tokenizer = cls.__new__(cls)
        Handle.__init__(tokenizer, out.value)
        return tokenizer

    def tokenize(self, text: Union[str, bytes], *, special: bool = False) -> List[int]:
        """What spells a special token, such as "<|end|>", stays text unless `special`."""
        data = encoded(text)
        options = filled(_abi.EncodeOptions)
        options.flags = _abi.ENCODE_SPECIAL if special else 0
        return tokens_from(lambda buffer, *sizes: lib.vitalis_tokenizer_encode(
            self.handle, data, len(data), ctypes.byref(options), buffer, None, *sizes),
            len(data) // 2 + 16)

    def count(self, text: Union[str, bytes]) -> int:
        """How many tokens tokenize(text) gives, without storing them."""
        data, out = encoded(text), ctypes.c_size_t()
        check(lib.vitalis_tokenizer_count(self.handle, data, len(data), ctypes.byref(out)))
        return out.value

    def token_bytes(self, token: int) -> bytes:
        """The bytes of one token: whole characters are not promised."""
        if not 0 <= token < 2**32:
            raise ValueError(f"{token} is not a token")
        text = _abi.Text()
        check(lib.vitalis_tokenizer_token_bytes(self.handle, token, ctypes.byref(text)))
        return bytes_of(text)

    def detokenize(self, tokens: Iterable[int]) -> str:
        return b"".join(map(self.token_bytes, tokens)).decode("utf-8", "replace")

    def special_token(self, name: str) -> int:
        """The id of a special token such as "<|start|>"; NotFoundError if there is none."""
        data, out = encoded(name), ctypes.c_uint32()
        check(lib.vitalis_tokenizer_special(self.handle, data, len(data), ctypes.byref(out)))
        return out.value
