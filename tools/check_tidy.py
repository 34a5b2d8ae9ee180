#!/usr/bin/env python3
"""Checks the rules of STYLE.md that a script can see, over every file that git tracks or would add.

Usage: check_tidy.py [ROOT]     or     check_tidy.py --self-test
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import rule

LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 600
BLOB_BYTES_MAX = 200 * 1024

CODE = (".h", ".cc", ".py", ".sh", ".cmake", ".tf")
# clang-format upholds the columns of C++.
COLUMNS = (".py", ".sh", ".cmake")
TEXT = CODE + (".md", ".txt", ".json", ".yml", ".yaml", ".html", ".css", ".js", ".dot", ".hcl")
# Written by tools, checked by their own means.
GENERATED = re.compile(
    r"package-lock\.json$|\.terraform\.lock\.hcl$|^assets/.*\.svg$|^LICENSES/|^LICENSE$")
# Inputs of fuzzers are what they are.
DATA = re.compile(r"^fuzz/corpus/")
# What is left over from work in progress, and paths of one machine. Built from halves, so that this
# file does not name them.
BANNED = [
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|H" r"ACK)\b"), "unfinished work"),
    (re.compile(r"(?<![\w.$}*-])/(wo" r"rk|ro" r"ot|home/\w+)/"), "a path of one machine"),
    (re.compile(r"https?://[\w.-]*(artifact" r"ory|artifact" r"registry|ne" r"xus)[\w.-]*"),
     "a private host"),
]
LONG_LINE_IS_FINE = re.compile(r"https?://\S{40,}|NOLINT|clang-format off")
SCRIPT = re.compile(r"^(dev|\.ci/run|.*\.sh|.*\.py)$")
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
CHANGELOG_TYPES = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def files_of(root):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True).stdout.decode()
    return sorted(n for n in set(listed.split("\0")) if n and (root / n).is_file())


def check_text(name, text):
    lines = text.split("\n")
    code = name.endswith(CODE) or name in ("dev", ".ci/run")
    columns = name.endswith(COLUMNS) or name in ("dev", ".ci/run")
    if code and len(lines) - 1 > FILE_LINES_MAX:
        yield f"{name}: {len(lines) - 1} lines, more than {FILE_LINES_MAX}: split it by operation"
    if text and not text.endswith("\n"):
        yield f"{name}: the last line has no line feed"
    fence = False
    for number, line in enumerate(lines, 1):
        where = f"{name}:{number}"
        if columns and len(line) > LINE_COLUMNS_MAX and not LONG_LINE_IS_FINE.search(line):
            yield f"{where}: {len(line)} columns, more than {LINE_COLUMNS_MAX}"
        if line != line.rstrip():
            yield f"{where}: space at the end of the line"
        if "\t" in line and name.endswith((".h", ".cc", ".py", ".json", ".cmake")):
            yield f"{where}: tab"
        for pattern, what in BANNED:
            if found := pattern.search(line):
                yield f"{where}: {what}: {found.group(0)}"
        if name.endswith(".md"):
            fence ^= line.startswith("```")
    if fence:
        yield f"{name}: a ``` block is not closed"
    if name.endswith(".h") and "#pragma once" not in lines[:3]:
        yield f"{name}: does not begin with #pragma once"


def check_links(root, name, text):
    folder = (root / name).parent
    for match in LINK.finditer(re.sub(r"```.*?```", "", text, flags=re.S)):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (folder / path).resolve() if path else root / name
        if not file.exists():
            yield f"{name}: dead link {target}"
        elif anchor and file.suffix == ".md":
            headings = re.findall(r"^#+ +(.*)$", file.read_text("utf-8"), re.M)
            slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
            if anchor not in slugs:
                yield f"{name}: no heading for {target}"


def check_changelog(text):
    headings = re.findall(r"^## (.*)$", text, re.M)
    if not headings or headings[0] != "[Unreleased]":
        yield "CHANGELOG.md: the first section is not [Unreleased]"
    for heading in headings[1:]:
        if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading):
            yield f"CHANGELOG.md: '{heading}' is not '[1.2.3] - 2026-01-31'"
    for kind in re.findall(r"^### (.*)$", text, re.M):
        if kind not in CHANGELOG_TYPES:
            yield f"CHANGELOG.md: '{kind}' is not one of {', '.join(sorted(CHANGELOG_TYPES))}"


def check_decisions(names):
    """docs/decisions is numbered without gaps or doubles."""
    numbers = [int(m.group(1)) for n in names
               if (m := re.fullmatch(r"docs/decisions/(\d{4})-[a-z0-9-]+\.md", n))]
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        yield f"docs/decisions: the numbers {sorted(numbers)} have gaps or doubles"


def check(root):
    names = files_of(root)
    for name in names:
        path = root / name
        size = path.stat().st_size
        if size > BLOB_BYTES_MAX and not GENERATED.search(name):
            yield f"{name}: {size} bytes, more than {BLOB_BYTES_MAX}"
        if DATA.match(name):
            continue
        executable = bool(path.stat().st_mode & 0o100)
        data = path.read_bytes()
        if SCRIPT.match(name) and executable != data.startswith(b"#!"):
            what = "executable without" if executable else "not executable, but has"
            yield f"{name}: {what} a #! line"
        elif executable and not SCRIPT.match(name):
            yield f"{name}: executable, but no script"
        known = name.endswith(TEXT) or name in ("dev", ".ci/run") or "." not in path.name[1:]
        if not known or GENERATED.search(name):
            continue
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            yield f"{name}: is not UTF-8"
            continue
        yield from check_text(name, text)
        if name.endswith(".md"):
            yield from check_links(root, name, text)
        if name == "CHANGELOG.md":
            yield from check_changelog(text)
    yield from check_decisions(names)


def self_test():
    clean = {
        "src/a.h": "#pragma once\n",
        "README.md":
            "# Top\n[log](CHANGELOG.md) [top](#top) [web](https://example.com)\n```\nx\n```\n",
        "CHANGELOG.md":
            "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- x\n\n## [0.1.0] - 2026-01-31\n",
        "docs/decisions/0001-a.md": "# 1\n",
        "fuzz/corpus/name/x.txt": "as it is \t \n",
        "tools/x.py": "import os\n",
    }
    breaches = {
        "tools/long.py": "# " + "x" * 100 + "\n",
        "src/big.cc": "int a;\n" * 601,
        "src/blank.cc": "int a; \n",
        "src/tab.cc": "\tint a;\n",
        "src/end.cc": "int a;",
        "src/once.h": "int a;\n",
        "src/left.cc": "// TO" "DO: later\n",
        "docs/path.md": "see /wo" "rk/main\n",
        "docs/host.md": "https://artifact" "ory.example.com/\n",
        "docs/latin.md": b"\xe4\n",
        "docs/dead.md": "[gone](nowhere.md)\n",
        "docs/anchor.md": "[gone](../README.md#bottom)\n",
        "docs/open.md": "```\nx\n",
        "assets/big.bin": "x" * 300000,
        "tools/run.py": "#!/usr/bin/env python3\n",
        "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### News\n",
        "docs/decisions/0003-c.md": "# 3\n",
    }
    failures = []
    with tempfile.TemporaryDirectory() as temp:
        def messages_of(files):
            root = pathlib.Path(tempfile.mkdtemp(dir=temp))
            subprocess.run(["git", "init", "-q"], cwd=root, check=True)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
            return list(check(root))
        if found := messages_of(clean):
            failures.append(f"the clean tree is refused: {found}")
        for name, text in breaches.items():
            found = messages_of(clean | {name: text})
            if len(found) != 1:
                failures.append(f"the breach in {name} gives {found}")
    return rule.report_self_test("check_tidy", len(breaches) + 1, failures)


if __name__ == "__main__":
    sys.exit(rule.run("check_tidy", check, self_test))
