# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C stops a call that is under way, and leaves everything usable."""

import ctypes
import faulthandler
import os
import signal
import threading
import time
import unittest

import vitalis
from tiny import TinyTest
from vitalis._interrupt import Interruptible


class Interrupt(TinyTest):
    def test_a_long_call_is_cut_short(self):
        # Stands for a chunk of a prompt: native code that no signal ends, only `cancel`.
        libc = ctypes.CDLL(None)
        barrier = ctypes.create_string_buffer(64)
        self.assertEqual(libc.pthread_barrier_init(barrier, None, 2), 0)

        def meet():
            libc.pthread_barrier_wait(barrier)
            return 0

        faulthandler.dump_traceback_later(60, exit=True)
        with self.assertRaises(KeyboardInterrupt):
            with Interruptible(meet) as interruptible:
                threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
                interruptible.call(libc.pthread_barrier_wait, barrier)
                time.sleep(0)
        faulthandler.cancel_dump_traceback_later()
        self.assertEqual(signal.set_wakeup_fd(-1), -1)

    def test_in_the_middle_of_a_prompt(self):
        session = self.model.session()
        conversation = vitalis.Conversation()
        for line in range(200):
            conversation.user(f"Line {line} of a prompt that takes a while to compute.")
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        with self.assertRaises(KeyboardInterrupt):
            timer.start()
            for _ in range(1000):
                session.reset()
                list(session.generate(conversation, max_tokens=1))
        timer.join()
        conversation = vitalis.Conversation().user("What is the capital of France?")
        self.assertEqual(self.final(session.generate(conversation, temperature=0)),
                         "The capital of France is Paris.")

    def test_other_handlers_and_listeners_are_left_alone(self):
        seen = []
        before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
        try:
            conversation = vitalis.Conversation().user("What is the capital of France?")
            events = self.model.chat(conversation, temperature=0)
            next(events)
            os.kill(os.getpid(), signal.SIGINT)
            self.assertIn("Paris", self.final(events))
            self.assertEqual(seen, [1])
        finally:
            signal.signal(signal.SIGINT, before)

        read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write)
        try:
            with self.assertRaises(KeyboardInterrupt):
                with Interruptible(lambda: None) as interruptible:
                    interruptible.call(lambda: os.kill(os.getpid(), signal.SIGINT) or 0)
                    time.sleep(1)
            self.assertEqual(os.read(read, 16), bytes([signal.SIGINT]))
        finally:
            self.assertEqual(signal.set_wakeup_fd(-1), write)
            os.close(read)
            os.close(write)


if __name__ == "__main__":
    unittest.main()
