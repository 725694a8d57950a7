# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C during a long call of the library.

Python runs signal handlers between its own instructions, hence only once the call has returned, and
a chunk of a prompt can take many seconds. The interpreter does write to its wake-up descriptor at
once, so a thread that reads from it cancels the session; the call returns within a layer's time and
Python raises KeyboardInterrupt. That is done only in the main thread, only if SIGINT has Python's
own handler, and what else listens to the wake-up descriptor is told too.
"""

import os
import signal
import threading
from typing import Any, Callable


class Interruptible:
    """Runs calls, which Ctrl-C in the main thread cuts short by `cancel`."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._listening = False
        self._others = -1

    def __enter__(self) -> "Interruptible":
        if (os.name == "posix" and threading.current_thread() is threading.main_thread()
                and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
            self._read, self._write = os.pipe()
            os.set_blocking(self._write, False)
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
            self._listening = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._listening:
            self._listening = False
            os.close(self._write)
            self._thread.join()
            os.close(self._read)

    def call(self, function: Callable[..., int], *arguments: Any) -> int:
        if not self._listening or threading.current_thread() is not threading.main_thread():
            return function(*arguments)
        self._others = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        try:
            return function(*arguments)
        finally:
            signal.set_wakeup_fd(self._others, warn_on_full_buffer=False)

    def _watch(self) -> None:
        while True:
            signals = os.read(self._read, 64)
            if not signals:
                return
            if self._others >= 0:
                try:
                    os.write(self._others, signals)
                except OSError:
                    pass  # theirs is full or closed: as it would be without us
            if signal.SIGINT in signals:
                self._cancel()
