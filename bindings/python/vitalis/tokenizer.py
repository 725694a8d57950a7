# SPDX-License-Identifier: Apache-2.0
"""Text to tokens and back, also without a model's weights. A Tokenizer is for any number of threads
at once, a Decoder for one at a time."""

import ctypes
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable, List, Optional, Sequence, Union

from . import _abi
from ._native import (Handle, bytes_from, bytes_of, c_path, check, checked_token, encoded, filled,
                      lib, str_of, token_array, tokens_from)
from .errors import ModelNotFoundError, NotFoundError

if TYPE_CHECKING:
    from .model import Engine


@dataclass(frozen=True)
class Encoding:
    """Tokens, and where each ends: a byte offset in the text, as UTF-8 if it is a str."""

    tokens: List[int]
    ends: List[int]


@dataclass(frozen=True)
class Prefix:
    """The tokens of the first `bytes` bytes of a text, as UTF-8 if it is a str."""

    tokens: List[int]
    bytes: int


class Tokenizer(Handle):
    """`Tokenizer("gpt-oss-20b")`, or a model's own as model.tokenizer.

    Text is a str, or any bytes: an ill-formed part of UTF-8 counts as U+FFFD. What spells a special
    token, such as "<|end|>", stays text unless encode() is told otherwise. Special tokens are given
    by name or id; LookupError if there is no such name."""

    _release = lib.vitalis_tokenizer_release

    def __init__(self, path: Union[str, "os.PathLike[str]"], *,
                 cache_folder: Union[str, "os.PathLike[str]", None] = None) -> None:
        """`path` is a tokenizer.json, or a folder with one; FileNotFoundError, MalformedError or
        UnsupportedError. With a `cache_folder` a compiled form is kept there, which opens
        faster."""
        out = ctypes.c_void_p()
        try:
            check(lib.vitalis_tokenizer_open(
                c_path(path, "path"), c_path(cache_folder, "cache_folder"), ctypes.byref(out)))
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

    @property
    def size(self) -> int:
        """One more than the highest id."""
        return int(lib.vitalis_tokenizer_size(self.handle))

    def encode(self, text: Union[str, bytes], *, special: bool = False,
               allowed: Iterable[Union[str, int]] = (), refused: Iterable[Union[str, int]] = (),
               strict: bool = False) -> List[int]:
        """The tokens of a text. Spelt in it, the special tokens that are `allowed`, or with
        `special` all, become tokens, and those that are `refused`, less the allowed, a ValueError.
        So does ill-formed UTF-8 if `strict`; the message has the byte offset."""
        data = encoded(text)
        allowed_ids, refused_ids = self._specials(allowed), self._specials(refused)
        options = filled(_abi.EncodeOptions)
        options.flags = ((_abi.ENCODE_SPECIAL if special else 0)
                         | (_abi.ENCODE_STRICT if strict else 0))
        options.allowed, options.allowed_count = ctypes.addressof(allowed_ids), len(allowed_ids)
        options.refused, options.refused_count = ctypes.addressof(refused_ids), len(refused_ids)
        return tokens_from(lambda buffer, *sizes: lib.vitalis_tokenizer_encode(
            self.handle, data, len(data), ctypes.byref(options), buffer, None, *sizes),
            _guess(len(data)))

    def encode_with_offsets(self, text: Union[str, bytes]) -> Encoding:
        """encode(text), and where in it each token ends."""
        data = encoded(text)
        ends: Any = ()

        def encode(buffer: Any, capacity: int, count: Any) -> int:
            nonlocal ends
            ends = (ctypes.c_size_t * capacity)()
            return int(lib.vitalis_tokenizer_encode(
                self.handle, data, len(data), None, buffer, ends, capacity, count))

        tokens = tokens_from(encode, _guess(len(data)))
        return Encoding(tokens, ends[:len(tokens)])

    def encode_up_to(self, text: Union[str, bytes], limit: int) -> Prefix:
        """Whole words from the front of the text, as long as they make at most `limit` tokens."""
        if limit < 0:
            raise ValueError(f"limit is negative: {limit}")
        data, size = encoded(text), ctypes.c_size_t()
        # A byte makes three tokens at most: those of U+FFFD where it is ill-formed.
        tokens = tokens_from(lambda *buffer: lib.vitalis_tokenizer_encode_up_to(
            self.handle, data, len(data), *buffer, ctypes.byref(size)), min(limit, 3 * len(data)))
        return Prefix(tokens, size.value)

    def encode_batch(self, texts: Sequence[Union[str, bytes]], *,
                     engine: Optional["Engine"] = None) -> List[List[int]]:
        """encode() of each text, by the threads of an engine (model.engine), or by this one."""
        pieces = [encoded(text) for text in texts]
        data = b"".join(pieces)
        start = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        views = (_abi.Text * len(pieces))()
        for view, piece in zip(views, pieces):
            view.data, view.size = start, len(piece)
            start += len(piece)
        counts = (ctypes.c_size_t * len(pieces))()
        tokens = tokens_from(lambda buffer, capacity, count: lib.vitalis_tokenizer_encode_batch(
            self.handle, engine.handle if engine else None, views, len(pieces), buffer, capacity,
            counts, count), _guess(len(data)))
        ends = [0]
        for size in counts:
            ends.append(ends[-1] + size)
        return [tokens[begin:end] for begin, end in zip(ends, ends[1:])]

    def count(self, text: Union[str, bytes]) -> int:
        """How many tokens encode(text) gives, without storing them."""
        data, out = encoded(text), ctypes.c_size_t()
        check(lib.vitalis_tokenizer_count(self.handle, data, len(data), ctypes.byref(out)))
        return out.value

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens, with U+FFFD for each ill-formed part. Ids without text give none."""
        return self.decode_bytes(tokens).decode("utf-8", "replace")

    def decode_bytes(self, tokens: Iterable[int]) -> bytes:
        """The bytes of tokens, which need not be UTF-8."""
        ids = token_array(tokens)
        return bytes_from(lambda *buffer: lib.vitalis_tokenizer_decode(
            self.handle, ids, len(ids), *buffer), 8 * len(ids))

    def token_bytes(self, token: int) -> bytes:
        """The bytes of one token: whole characters are not promised."""
        text = _abi.Text()
        check(lib.vitalis_tokenizer_token_bytes(
            self.handle, checked_token(token), ctypes.byref(text)))
        return bytes_of(text)

    def find(self, data: Union[str, bytes]) -> int:
        """The ordinary token that stands for exactly these bytes; LookupError if there is none."""
        return self._id(lib.vitalis_tokenizer_find, data)

    def special(self, name: str) -> int:
        """The id of a special token such as "<|start|>"; LookupError if there is none."""
        return self._id(lib.vitalis_tokenizer_special, name)

    def _id(self, function: Any, text: Union[str, bytes]) -> int:
        data, out = encoded(text), ctypes.c_uint32()
        check(function(self.handle, data, len(data), ctypes.byref(out)))
        return out.value

    def _specials(self, names: Iterable[Union[str, int]]) -> Any:
        return token_array(self.special(name) if isinstance(name, str) else name for name in names)


class Decoder(Handle):
    """Tokens to text one at a time. Whole characters come out; an ill-formed part is one U+FFFD,
    as soon as it is certain."""

    _release = lib.vitalis_decoder_release

    def __init__(self, tokenizer: Tokenizer) -> None:
        out = ctypes.c_void_p()
        check(lib.vitalis_decoder_create(tokenizer.handle, ctypes.byref(out)))
        super().__init__(out.value)

    def push(self, token: int) -> str:
        """The text that the token completes, often none."""
        text = _abi.Text()
        check(lib.vitalis_decoder_push(self.handle, checked_token(token), ctypes.byref(text)))
        return str_of(text)

    def finish(self) -> str:
        """The end: what was held back. The decoder may be used again."""
        text = _abi.Text()
        check(lib.vitalis_decoder_finish(self.handle, ctypes.byref(text)))
        return str_of(text)


def _guess(size: int) -> int:
    """As many tokens as a text of so many bytes seldom exceeds."""
    return size // 2 + 16
