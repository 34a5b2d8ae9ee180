#!/usr/bin/env python3
"""Checks a Lambda package and lists what it needs.

Usage: check_package.py ZIP

Lists every program and library with its size, the libraries and the symbol versions it asks for,
then fails if: the zip is larger than ZIP_BYTES_MAX; bootstrap is not static; a library or a symbol
is asked for that the package does not hold, or in a newer version than the one it holds; a file is
for another processor, has an executable stack or needs more than x86-64-v2; licences or SBOM are
missing; bootstrap holds libvips or the local cloud.
"""
import pathlib
import re
import sys
import tempfile
import zipfile

import elf

# libvips is 7.7 MB, bootstrap with OpenSSL 2.3, the C library and its loader 1.4, the rest 0.5.
ZIP_BYTES_MAX = 12_000_000
# Lambda's x86_64 offers AVX2, but other hosts of the package may not.
ISA_LEVELS_MAX = {"x86-64-baseline", "x86-64-v2"}


def defined_versions(path):
    text = elf.readelf("-V", path).partition(".gnu.version_r")[0]
    return {family: max(tuple(map(int, v.split("."))) for f, v in
                        re.findall(r"Name: ([A-Z]+)_([0-9.]+)", text) if f == family)
            for family in set(re.findall(r"Name: ([A-Z]+)_[0-9.]+", text))}


def check(zip_path, root):
    size = zip_path.stat().st_size
    if size > ZIP_BYTES_MAX:
        yield f"the zip has {size} bytes, more than {ZIP_BYTES_MAX}"
    files = {str(p.relative_to(root)): p for p in root.rglob("*") if p.is_file()}
    for name in ("bootstrap", "lib/decoder", "LICENSE", "sbom.cdx.json"):
        if name not in files:
            yield f"{name} is missing"
            return
    if not any(name.startswith("licenses/") for name in files):
        yield "there are no licences"
    elves = {name: path for name, path in sorted(files.items()) if elf.is_elf(path)}
    machines = {elf.machine(path) for path in elves.values()}
    if len(machines) != 1:
        yield f"files for several processors: {sorted(machines)}"
    held = {}
    symbols = {name: elf.symbols(path) for name, path in elves.items()}
    defined = set()
    for name, path in elves.items():
        if name.startswith("lib/"):
            defined |= symbols[name].defined
            for family, number in defined_versions(path).items():
                held[family] = max(held.get(family, (0,)), number)
    unpacked = sum(path.stat().st_size for path in files.values())
    print(f"{zip_path.name}: {size} bytes, unpacked {unpacked}")
    for name, path in elves.items():
        needed, versions = elf.needed(path), elf.versions(path)
        print(f"  {name}: {path.stat().st_size} bytes")
        if needed:
            print(f"    needs {' '.join(needed)}")
        if versions:
            print("    versions " + " ".join(f"{f}_{v}" for f, v in sorted(versions.items())))
        if "/" not in name and (needed or elf.interpreter(path)):
            yield f"{name} is not static: {needed} {elf.interpreter(path)}"
        for library in needed:
            if f"lib/{library}" not in files:
                yield f"{name} needs {library}, which the package does not hold"
        for family, version in versions.items():
            if tuple(map(int, version.split("."))) > held.get(family, (0,)):
                yield f"{name} needs {family}_{version}; the package holds {held.get(family)}"
        if missing := sorted(symbols[name].needed - defined):
            yield f"{name} needs symbols that no library of the package has: {missing[:5]}"
        if elf.has_executable_stack(path):
            yield f"{name} has an executable stack"
        if levels := set(elf.isa_levels(path)) - ISA_LEVELS_MAX:
            yield f"{name} needs {sorted(levels)}"
    # The program that holds credentials must hold no decoder, and no emulator.
    data = files["bootstrap"].read_bytes()
    for word in (b"vips_image_new", b"imgproc local", b"sqlite3_open"):
        if word in data:
            yield f"bootstrap contains {word.decode()}"


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    zip_path = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(zip_path) as archive:
        for entry in archive.infolist():
            if entry.filename.startswith("/") or ".." in entry.filename.split("/"):
                raise SystemExit(f"{zip_path}: bad name {entry.filename}")
        archive.extractall(folder)
        breaches = list(check(zip_path, pathlib.Path(folder)))
    for breach in breaches:
        print(f"{zip_path.name}: {breach}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
