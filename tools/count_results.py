#!/usr/bin/env python3
"""Adds up the test reports of a CI run and prints one closing line of counts.

Reads ctest's, GoogleTest's and pytest's JUnit files below DIRECTORY. A ctest test that wrote a
report of its own (same program name, same folder) counts by the cases of that report. A failed
step that no report accounts for counts as a failure. Exits 1 if anything failed or nothing passed.
Usage: count_results.py DIRECTORY [FAILED_STEP...]     or     count_results.py --self-test
"""
import pathlib
import sys
import tempfile
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


def add_up(root, failed_steps):
    """[passed, failed, skipped] of everything below root."""
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
    if failed_steps and not total[1]:
        total[1] = len(failed_steps)
    return total


def self_test():
    def suite(*cases):
        return f"<testsuite>{''.join(cases)}</testsuite>"
    def case(name, status="run", inside=""):
        return f'<testcase name="{name}" status="{status}">{inside}</testcase>'
    reports = {
        "ctest.xml": suite(case("base"), case("http", "fail"), case("alone"),
                           case("slow", "notrun"), case("bad", "fail")),
        "base_test.xml": suite(case("a"), case("b", inside="<skipped/>"), case("c")),
        "http_test.xml": suite(case("a", inside="<failure/>"), case("b", inside="<error/>"),
                               case("c", "notrun")),
        "bad.xml": suite(case("a")),
    }
    with tempfile.TemporaryDirectory() as temp:
        root = pathlib.Path(temp)
        empty = add_up(root, [])
        (root / "release").mkdir()
        for name, text in reports.items():
            (root / "release" / name).write_text(text, "utf-8")
        results = [(empty, [0, 0, 0]), (add_up(root, []), [4, 3, 3]),
                   (add_up(root, ["lint"]), [4, 3, 3])]
        for name in ("http_test.xml", "bad.xml"):
            (root / "release" / name).unlink()
        (root / "release/ctest.xml").write_text(suite(case("base")), "utf-8")
        results.append((add_up(root, ["lint"]), [2, 1, 1]))
    wrong = [pair for pair in results if pair[0] != pair[1]]
    for found, expected in wrong:
        print(f"{found} instead of {expected}")
    print(f"count_results self-test: {len(results) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    failed_steps = sys.argv[2:]
    total = add_up(pathlib.Path(sys.argv[1]), failed_steps)
    if failed_steps:
        print("failed steps: " + ", ".join(failed_steps))
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if failed_steps or total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
