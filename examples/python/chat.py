#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Streams one answer of a model: chat.py MODEL "question" """

import sys

import vitalis


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: chat.py MODEL QUESTION", file=sys.stderr)
        return 2
    try:
        with vitalis.Model(sys.argv[1]) as model:
            for event in model.chat(sys.argv[2], temperature=0):
                if isinstance(event, vitalis.Text) and event.channel == "final":
                    print(event.text, end="", flush=True)
                elif isinstance(event, vitalis.Finished):
                    print()
                    if event.reason == "length":
                        print("chat.py: cut off", file=sys.stderr)
    except vitalis.VitalisError as error:
        print(f"chat.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
