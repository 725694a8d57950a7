#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which tier is the fastest at each product: a table from kernels_bench, by which tiers are chosen.

    kernels_bench --benchmark_filter='/rows:[0-9]+$' --benchmark_repetitions=5 \\
        --benchmark_enable_random_interleaving=true --benchmark_format=json > products.json
    fastest.py products.json [--tolerance 0.1]

Prints, for each kind of weights and number of rows, the medians of all tiers in GFLOP/s, and ends
with status 1 if the tier that this machine gets by default (the last one that kernels_bench runs)
is slower than another by more than the tolerance anywhere."""

import argparse
import collections
import json
import re
import statistics
import sys

NAME = re.compile(r"([a-z0-9]+)/([a-z0-9_-]+)/(\d+)/rows:(\d+)$")


def read(path):
    """The tiers in the benchmark's order; of each product, every tier's rates in GFLOP/s."""
    tiers, rates = [], collections.defaultdict(lambda: collections.defaultdict(list))
    with open(path, encoding="utf-8") as file:
        runs = json.load(file)["benchmarks"]
    for run in runs:
        name = NAME.match(run["run_name"])
        if not name or run["run_type"] != "iteration":
            continue
        tier, weights, columns, rows = name.groups()
        if tier not in tiers:
            tiers.append(tier)
        rates[weights, int(columns), int(rows)][tier].append(run["flop/s"] / 1e9)
    return tiers, rates


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("results", help="what kernels_bench printed as JSON")
    parser.add_argument("--tolerance", type=float, default=0.1)
    arguments = parser.parse_args()
    tiers, rates = read(arguments.results)
    if not tiers:
        sys.exit(f"{arguments.results}: no products of kernels_bench in it")
    default, slower = tiers[-1], 0
    print("| weights | columns | rows |", " | ".join(tiers), "| fastest |")
    print("| --- " * (len(tiers) + 4) + "|")
    for (weights, columns, rows), of_tier in sorted(rates.items()):
        median = {tier: statistics.median(of_tier[tier]) for tier in tiers if of_tier[tier]}
        best = max(median, key=median.get)
        loses = median.get(default, 0) < median[best] * (1 - arguments.tolerance)
        slower += loses
        cells = [f"{median[tier]:.1f}" if tier in median else "" for tier in tiers]
        print("|", " | ".join([weights, str(columns), str(rows)] + cells),
              f"| {best}{', not ' + default if loses else ''} |")
    print(f"\n{default}, the default, is slower than another by more than {arguments.tolerance:.0%}"
          f" in {slower} of {len(rates)} products")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
