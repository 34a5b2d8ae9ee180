#!/usr/bin/env python3
"""Links libraries that hold what some programs and libraries ask for, and nothing else.

Usage: reduce_libraries.py --compiler g++ --output FOLDER USER...

libstdc++.so.6   of the objects of GCC's subset kit, libstdc++_pic.a (Debian's libstdc++-*-pic),
                 which exists for this purpose: the same symbol versions as the whole library, a
                 quarter of its size
libresolv.so.2   empty: libvips names it, but asks for nothing that stands in it

They can take the place of the whole ones for these users only; check_package.py proves that none
lacks a symbol.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import elf

FAMILIES = ("GLIBCXX_", "CXXABI_")


def version_script(symbols):
    """`symbols` = {(name, version)}; everything else becomes local, so that the linker drops it."""
    lines = []
    for version in sorted({version for _, version in symbols}):
        names = sorted(name for name, of in symbols if of == version)
        rest = "" if lines else " local: *;"
        lines.append(f"{version} {{ global: {'; '.join(names)};{rest} }};\n")
    return "".join(lines)


def link(compiler, output, *inputs):
    subprocess.run([compiler, "-shared", "-nodefaultlibs", "-s", "-o", output,
                    f"-Wl,-soname,{output.name}", "-Wl,--gc-sections", "-Wl,-z,relro,-z,now",
                    "-Wl,--hash-style=gnu", *inputs], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("users", nargs="+", metavar="USER")
    arguments = parser.parse_args()
    archive = subprocess.run([arguments.compiler, "-print-file-name=libstdc++_pic.a"], check=True,
                             capture_output=True, text=True).stdout.strip()
    if not pathlib.Path(archive).is_absolute():
        raise SystemExit(f"{arguments.compiler} has no libstdc++_pic.a: install libstdc++-*-pic")
    symbols = {symbol for user in arguments.users for symbol in elf.symbols(user).needed
               if symbol[1].startswith(FAMILIES)}
    if not symbols:
        raise SystemExit(f"{arguments.users} ask for nothing of the C++ library")
    arguments.output.mkdir(parents=True, exist_ok=True)
    link(arguments.compiler, arguments.output / "libresolv.so.2")
    with tempfile.NamedTemporaryFile("w", suffix=".map") as script:
        script.write(version_script(symbols))
        script.flush()
        link(arguments.compiler, arguments.output / "libstdc++.so.6",
             f"-Wl,--version-script={script.name}",
             *(f"-Wl,-u,{name}" for name, _ in sorted(symbols)),
             archive, "-lm", "-lgcc_s", "-lc")
    return 0


if __name__ == "__main__":
    sys.exit(main())
