#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `vitalis bench` and llama.cpp's llama-bench on the same model, in turn, and compares them.

    llama_bench.py --vitalis PROGRAM MODEL --peer LLAMA_BENCH MODEL.gguf [--prompts N,…]
        [--depths N,…] [--threads N] [--rounds N]

In turn, because a shared machine's speed changes with time: each round gives one ratio a test, and the
median of the ratios is what counts."""

import argparse
import json
import statistics
import subprocess

GENERATE = 64  # tokens at each depth


def run(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def ours(program, model, arguments):
    """Tokens a second of each test, by (prompt tokens, generated tokens, depth)."""
    command = [program, "bench", model, "--json", "--repeats", "1", "--generate", str(GENERATE),
               "--prompts", arguments.prompts, "--depths", arguments.depths,
               "--sequences", ""]
    if arguments.threads:
        command += ["--threads", str(arguments.threads)]
    speeds = {}
    for test in json.loads(run(command))["tests"]:
        prompt = test["name"].startswith("pp")
        key = (test["tokens"], 0, 0) if prompt else (0, test["tokens"], test["depth"])
        speeds[key] = test["tokens_per_second"]
    return speeds


def theirs(program, model, arguments):
    command = [program, "-m", model, "-o", "json", "-r", "1"]
    if arguments.threads:
        command += ["-t", str(arguments.threads)]
    tests = json.loads(run(command + ["-p", arguments.prompts, "-n", "0"]))
    tests += json.loads(run(command + ["-p", "0", "-n", str(GENERATE),
                                       "-d", arguments.depths]))
    return {(test["n_prompt"], test["n_gen"], test.get("n_depth", 0)): test["avg_ts"]
            for test in tests}


def name_of(test):
    prompt, generate, depth = test
    return f"pp{prompt}" if prompt else f"tg{generate} at depth {depth}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vitalis", nargs=2, required=True, metavar=("PROGRAM", "MODEL"))
    parser.add_argument("--peer", nargs=2, required=True, metavar=("LLAMA_BENCH", "MODEL.gguf"))
    parser.add_argument("--prompts", default="512,2048", help="lengths of prompts")
    parser.add_argument("--depths", default="0,2048,8192", help="tokens in the context before")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rounds = [(ours(*arguments.vitalis, arguments), theirs(*arguments.peer, arguments)) for _ in range(arguments.rounds)]
    print(f"{'test':<20} {'vitalis':>10} {'peer':>10} {'ratio':>8}")
    for test in rounds[0][0]:
        pairs = [(own[test], peer[test]) for own, peer in rounds if test in peer]
        if pairs:
            print(f"{name_of(test):<20} {statistics.median(a for a, _ in pairs):>10.2f}"
                  f" {statistics.median(b for _, b in pairs):>10.2f}"
                  f" {statistics.median(a / b for a, b in pairs):>8.2f}")


if __name__ == "__main__":
    main()
