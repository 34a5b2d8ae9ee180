#!/usr/bin/env python3
"""Checks that docs/record.md explains each attribute of the record and each code of an error in it.

The attributes are those that src/aws/record_item.cc writes, the codes the constants of the headers
that name them. Usage: check_record.py [ROOT]     or     check_record.py --self-test
"""
import pathlib
import re
import sys
import tempfile

import rule

PAGE = "docs/record.md"
ATTRIBUTES = "src/aws/record_item.cc"
CODES = ("src/ports/image_engine.h", "src/pipeline/download.h", "src/image/encode.h",
         "src/decoder/decoder_pool.h")
# Between parts of the pipeline only; no record ever holds them.
INTERNAL = {"UNCHANGED"}

ATTRIBUTE = re.compile(r'write\.\w+\("(\w+)"|item\["(\w+)"\]')
CODE = re.compile(r'inline constexpr const char\* k\w+ =\s*"([A-Z_]+)";')


def names_in(path, pattern):
    return {name for match in pattern.findall(path.read_text("utf-8"))
            for name in ([match] if isinstance(match, str) else match) if name}


def check(root):
    explained = set(re.findall(r"`(\w+)`", (root / PAGE).read_text("utf-8")))
    for name, pattern in [(ATTRIBUTES, ATTRIBUTE), *((header, CODE) for header in CODES)]:
        names = names_in(root / name, pattern)
        if not names:
            yield f"{name}: no names are found in it any more: mend this script"
        for missing in sorted(names - explained - INTERNAL):
            yield f"{PAGE}: does not explain `{missing}` of {name}"


def self_test():
    clean = {PAGE: "`path` `expires_at` `TOO_LARGE`\n",
             ATTRIBUTES: 'write.text("path", p);\nitem["expires_at"] = e;\n'}
    clean |= dict.fromkeys(CODES, 'inline constexpr const char* kTooLarge = "TOO_LARGE";\n')
    breaches = [
        (PAGE, "`path` `expires_at`, and TOO_LARGE by the way\n"),
        (PAGE, "`path` `TOO_LARGE`\n"),
        (ATTRIBUTES, clean[ATTRIBUTES] + 'write.number("size", s);\n'),
        (CODES[1], clean[CODES[1]] + 'inline constexpr const char* kGone =\n    "GONE";\n'),
        (CODES[2], "\n"),
    ]
    failures = []
    with tempfile.TemporaryDirectory() as temp:
        def messages_of(files):
            root = pathlib.Path(tempfile.mkdtemp(dir=temp))
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return list(check(root))
        if found := messages_of(clean):
            failures.append(f"the clean tree is refused: {found}")
        for name, text in breaches:
            if not messages_of(clean | {name: text}):
                failures.append(f"the breach in {name} is not seen: {text!r}")
    return rule.report_self_test("check_record", len(breaches) + 1, failures)


if __name__ == "__main__":
    sys.exit(rule.run("check_record", check, self_test))
