#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Streams the same answer by the program and by the Python package, in turn, and compares the time
from the first byte to the last that a reader at the other end of a pipe sees.

    VITALIS_LIBRARY=…/libvitalis.so.1 streaming.py PROGRAM MODEL [--question TEXT] [--rounds N]"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "bindings" / "python"
HOST = """
import sys, vitalis
with vitalis.Model(sys.argv[1]) as model:
    for event in model.chat(sys.argv[2], temperature=0):
        if isinstance(event, vitalis.Text) and event.channel == "final":
            sys.stdout.write(event.text)
            sys.stdout.flush()
"""


def seconds(command):
    """From the first byte to the last."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={
            **os.environ, "PYTHONPATH": str(PACKAGE), "PYTHONUTF8": "1"}) as running:
        first = last = None
        size = 0
        while piece := os.read(running.stdout.fileno(), 65536):
            last = time.perf_counter()
            first = first or last
            size += len(piece)
    if running.returncode or not size:
        sys.exit(f"{command[0]} ended with {running.returncode}")
    return last - first


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--question", default="Tell me a story about a fox named Mia.")
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    ways = {
        "program": [arguments.program, "run", arguments.model, arguments.question,
                    "--temperature", "0"],
        "python": [sys.executable, "-c", HOST, arguments.model, arguments.question],
    }
    times = {way: [] for way in ways}
    for _ in range(arguments.rounds):
        for way, command in ways.items():
            times[way].append(seconds(command))
    medians = {way: statistics.median(t) for way, t in times.items()}
    for way, median in medians.items():
        print(f"{way}: {median * 1e3:.1f} ms ({min(times[way]) * 1e3:.1f} to "
              f"{max(times[way]) * 1e3:.1f} in {arguments.rounds} rounds)")
    print(f"python / program: {medians['python'] / medians['program']:.3f} of the time")


if __name__ == "__main__":
    main()
