#!/usr/bin/env python3
"""Runs clang-tidy-19 over the C++ sources, several to one translation unit.

Most of a run's time goes into the standard library's and Boost's headers, so files of different
folders are put together into batches; a batch in which two files define the same name is halved
until it compiles. With `changed` (the default) a file is left out while neither it, nor a header
of ours that it reaches, nor the list of checks changed since it last passed.
Usage: run_clang_tidy.py [--jobs N] [--batch N] [changed|all|FILE...]
"""
import argparse
import concurrent.futures
import functools
import hashlib
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "lint"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
VIPS = ROOT / "third_party/libvips/node_modules/@img"
FLAGS = [
    "-std=c++23", "-xc++", f"-I{ROOT}/src", f"-I{ROOT}", '-DIMGPROC_VERSION="0"', "-pthread",
    "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wno-sign-conversion",
    "-Wnon-virtual-dtor", "-Woverloaded-virtual", "-Wno-missing-field-initializers",
    "-DFMT_HEADER_ONLY=1", "-DBOOST_ASIO_NO_DEPRECATED",
    f"-isystem{VIPS}/sharp-libvips-dev/include",
    f"-isystem{VIPS}/sharp-libvips-dev/include/glib-2.0",
    *(f"-isystem{path}" for path in VIPS.glob("sharp-libvips-linux-*/lib/glib-2.0/include")),
]
COMPILE_ERROR = re.compile(r"\[clang-diagnostic-error\]")


def sources():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "src/*.cc"],
        cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file())


@functools.cache
def own_headers(name):
    """Headers of ours that the file reaches, itself included."""
    reached, todo = set(), [name]
    while todo:
        current = todo.pop()
        if current in reached or not (ROOT / current).is_file():
            continue
        reached.add(current)
        todo += [f"src/{header}" for header in INCLUDE.findall((ROOT / current).read_text("utf-8"))]
    return reached


@functools.cache
def digest(name):
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


def fingerprint(name):
    parts = [digest(header) for header in sorted(own_headers(name))]
    parts += [digest(".clang-tidy"), digest("tools/run_clang_tidy.py")]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def run_batch(names):
    """Returns (files that passed, text of what was found)."""
    unit = WORK / (hashlib.sha256(" ".join(names).encode()).hexdigest()[:16] + ".cc")
    unit.write_text("".join(f'#include "{ROOT}/{name}"\n' for name in names), encoding="utf-8")
    result = subprocess.run(
        ["clang-tidy-19", "--quiet", f"--config-file={ROOT}/.clang-tidy", str(unit), "--", *FLAGS],
        cwd=ROOT, capture_output=True, text=True, check=False)
    unit.unlink()
    if result.returncode == 0:
        return names, ""
    if COMPILE_ERROR.search(result.stdout) and len(names) > 1:
        middle = len(names) // 2
        halves = [run_batch(names[:middle]), run_batch(names[middle:])]
        return halves[0][0] + halves[1][0], halves[0][1] + halves[1][1]
    return [], result.stdout or result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("what", nargs="*", default=["changed"])
    arguments = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    memory = WORK / "passed.json"
    passed = json.loads(memory.read_text("utf-8")) if memory.is_file() else {}

    names = sources() if arguments.what in (["changed"], ["all"]) else arguments.what
    prints = {name: fingerprint(name) for name in names}
    todo = [n for n in names if arguments.what != ["changed"] or passed.get(n) != prints[n]]
    # Neighbours share a namespace and so may share names: deal them out to different batches.
    count = max(1, -(-len(todo) // arguments.batch))
    batches = [todo[i::count] for i in range(count)] if todo else []
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for good, text in pool.map(run_batch, batches):
            passed |= {name: prints[name] for name in good}
            if text:
                failed += 1
                print(text)
    memory.write_text(json.dumps(passed, indent=0, sort_keys=True), encoding="utf-8")
    print(f"clang-tidy: {len(names)} files, {len(todo)} checked, {failed} batches with findings")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())
