# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal: types, and waits for what the program says."""

import os
import pty
import re
import select
import signal
import termios
import time

from program import PROGRAM, TIMEOUT


class Terminal:
    """The program on a pseudo-terminal of its own, with an empty home."""

    def __init__(self, *arguments, home, **environment):
        self.said = b""   # since the last match
        self.heard = b""  # all of it
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm",
                       "XDG_CONFIG_DIRS": home,
                       **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")},
                       **environment}
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(PROGRAM, [PROGRAM, *arguments], environment)

    def echoes(self):
        """Whether the terminal shows what is typed, and takes Ctrl-C for a signal."""
        flags = termios.tcgetattr(self.terminal)[3]
        return bool(flags & termios.ECHO and flags & termios.ISIG and flags & termios.ICANON)

    def read(self):
        got = os.read(self.terminal, 65536)
        self.said += got
        self.heard += got

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, pattern):
        """The match in what was said since the last one."""
        end = time.monotonic() + TIMEOUT
        while not (match := re.search(pattern.encode(), self.said, re.DOTALL)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise AssertionError(f"{pattern!r} did not come: {self.said!r}")
            try:
                self.read()
            except OSError as error:  # the program has ended
                raise AssertionError(f"{pattern!r} did not come: {self.said!r}") from error
        self.said = self.said[match.end():]
        return match

    def exit_code(self):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            try:
                if select.select([self.terminal], [], [], 0.1)[0]:
                    self.read()
            except OSError:
                break
        else:
            raise AssertionError(f"the program did not end: {self.said!r}")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
