#!/usr/bin/env python3
"""Reads what the test command's stages left behind, and adds it up.

  summary.py failures JUNIT_XML
      Prints the output of each test that failed.

  summary.py total CHECKS_TSV [BUILD=JUNIT_XML ...]
      Prints a line for each build, the names of skipped and of failed tests, and as the last line
      "N passed, N failed, N skipped". CHECKS_TSV holds a line "name<TAB>passed|failed" for each stage
      that is not a test of ctest's.
"""

import sys
import xml.etree.ElementTree as ElementTree

OUTPUT_LINES = 200  # of each failed test


def outcome(case):
    """passed, failed or skipped. A test that ctest could not start counts as failed."""
    if case.get("status") == "run":
        return "passed"
    if case.get("status") == "disabled":
        return "skipped"
    skipped = case.find("skipped")
    if skipped is not None and skipped.get("message", "").startswith("SKIP_"):
        return "skipped"
    return "failed"


def read_junit(path):
    return [(case.get("name"), outcome(case), case) for case in ElementTree.parse(path).iter("testcase")]


def print_failures(path):
    for name, result, case in read_junit(path):
        if result != "failed":
            continue
        output = (case.findtext("system-out") or "no output").rstrip().splitlines()
        print(f"--- {name} failed:")
        if len(output) > OUTPUT_LINES:
            print(f"[{len(output) - OUTPUT_LINES} lines left out]")
        print("\n".join(output[-OUTPUT_LINES:]))


def print_total(checks_path, builds):
    groups = []
    for build in builds:
        label, path = build.split("=", 1)
        groups.append((f"tests, {label}", [(name, result) for name, result, _ in read_junit(path)]))
    with open(checks_path, encoding="utf-8") as file:
        groups.append(("checks", [tuple(line.rstrip("\n").split("\t")) for line in file]))

    total = {"passed": 0, "failed": 0, "skipped": 0}
    named = {"failed": [], "skipped": []}
    for label, results in groups:
        counts = {kind: sum(result == kind for _, result in results) for kind in total}
        print(f"{label:<28}" + "".join(f"{count:>7} {kind}" for kind, count in counts.items()))
        for kind, count in counts.items():
            total[kind] += count
        for name, result in results:
            if result in named:
                named[result].append(f"{name} ({label})")

    for kind in ("skipped", "failed"):
        for name in named[kind]:
            print(f"{kind}: {name}")
    print(", ".join(f"{count} {kind}" for kind, count in total.items()))
    return 1 if total["failed"] else 0


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "failures":
        print_failures(arguments[1])
        return 0
    if len(arguments) >= 2 and arguments[0] == "total":
        return print_total(arguments[1], arguments[2:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
