#!/usr/bin/env python3
"""Adds up the test reports of a CI run and prints one closing line of counts.

Reads ctest's, GoogleTest's and pytest's JUnit files below DIRECTORY. A ctest test that wrote a
report of its own (same program name, same folder) counts by the cases of that report. A failed
step that no report accounts for counts as a failure. Exits 1 if anything failed or nothing passed.
Usage: count_results.py DIRECTORY [FAILED_STEP...]
"""
import pathlib
import sys
import xml.etree.ElementTree as ET


def counts(path):
    """(passed, failed, skipped) of one JUnit file."""
    passed = failed = skipped = 0
    for case in ET.parse(path).getroot().iter("testcase"):
        status = case.get("status", "run")
        if (case.find("failure") is not None or case.find("error") is not None
                or status == "fail"):
            failed += 1
        elif case.find("skipped") is not None or status in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    root = pathlib.Path(sys.argv[1])
    failed_steps = sys.argv[2:]
    total = [0, 0, 0]
    for summary in sorted(root.rglob("ctest.xml")):
        own = {path.stem.removesuffix("_test"): path
               for path in summary.parent.glob("*.xml") if path != summary}
        for case in ET.parse(summary).getroot().iter("testcase"):
            name, status = case.get("name"), case.get("status")
            if name in own:
                found = counts(own[name])
                # A program that crashed after its report, or in the middle of it.
                if status == "fail" and found[1] == 0:
                    found = (found[0], 1, found[2])
            else:
                found = (int(status == "run"), int(status == "fail"),
                         int(status not in ("run", "fail")))
            total = [a + b for a, b in zip(total, found)]
    if failed_steps:
        print("failed steps: " + ", ".join(failed_steps))
        total[1] = max(total[1], len(failed_steps))
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if failed_steps or total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
