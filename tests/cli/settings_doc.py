# SPDX-License-Identifier: Apache-2.0
"""The table of settings in docs/configuration.md, made from `vitalis config show --json`.

    python3 settings_doc.py PROGRAM docs/configuration.md      writes it
"""

import json
import subprocess
import sys
from pathlib import Path

BEGIN = "<!-- made by tests/cli/settings_doc.py -->\n"
END = "<!-- end -->\n"


def table(settings):
    lines = ["| setting | flag | expected | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for setting in settings:
        key = f"`{setting['key']}`" + ("" if setting["harmless"] else " †")
        flag = f"`{setting['flag']}`" if setting["flag"] else ""
        default = setting["default"].replace("|", "\\|")
        lines.append(f"| {key} | {flag} | {setting['expected']} | {default} | {setting['help']} |")
    lines += ["", "Environment variables of other programs that mean the same:", "",
              "| setting | variables |", "| --- | --- |"]
    for setting in settings:
        if setting["also"]:
            names = ", ".join(f"`{name}`" for name in setting["also"].split())
            lines.append(f"| `{setting['key']}` | {names} |")
    return "\n".join(lines) + "\n"


def with_table(page, settings):
    head, rest = page.split(BEGIN)
    return head + BEGIN + table(settings) + END + rest.split(END)[1]


def main():
    page = Path(sys.argv[2])
    shown = subprocess.run([sys.argv[1], "config", "show", "--json"], capture_output=True, check=True)
    page.write_text(with_table(page.read_text(encoding="utf-8"), json.loads(shown.stdout)),
                    encoding="utf-8")


if __name__ == "__main__":
    main()
