#!/usr/bin/env python3
"""Makes a Lambda package out of built programs: programs, libraries, licences, SBOM, one zip.

Usage: make_package.py --arch x86_64|arm64 --bootstrap FILE --decoder FILE --vips DIR
                       --libraries DIR... --debian FILE --version V --output ZIP

--vips       the npm package @img/sharp-libvips-linux-*
--libraries  folders in which the C and C++ libraries stand that decoder and libvips ask for
--debian     lines "component<TAB>version<TAB>licence<TAB>copyright file" of the Debian packages
             whose code is in the package

Layout: bootstrap (static), lib/ (decoder, the dynamic loader, every shared library), LICENSE,
licenses/, sbom.cdx.json. decoder is started as `lib/ld-linux-*.so.* --inhibit-cache
--library-path lib lib/decoder`, so that nothing of the system below is used: a program with libvips
cannot be linked statically, and an ELF interpreter must be an absolute path, which a package that
may be unpacked anywhere does not have. The same inputs give the same bytes: entries are sorted
and carry one fixed time.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import elf

ROOT = pathlib.Path(__file__).resolve().parent.parent
# 1980-01-01, the earliest time that a zip can hold.
TIME = 315532800


def collect_libraries(start, folders, arch):
    """Every library that the files of `start` need, directly or not: {name: path}."""
    found, waiting = {}, [n for path in start for n in elf.needed(path)] + [elf.LOADERS[arch]]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = next((f / name for f in folders if (f / name).exists()), None)
        if path is None:
            raise SystemExit(f"{name} is needed, but stands in none of {[*map(str, folders)]}")
        found[name] = path.resolve()
        waiting += elf.needed(path)
    return found


def vips_components(vips):
    """The libraries inside libvips, with versions and licences as its package declares them."""
    licences = dict(re.findall(r"^\| (\S+) +\| (.*?) +\|$",
                               (vips / "README.md").read_text("utf-8"), re.M))
    for name, version in json.loads((vips / "versions.json").read_text("utf-8")).items():
        licence = licences.get(name) or licences.get(f"lib{name}") or {
            "uhdr": licences.get("libultrahdr"), "rsvg": licences.get("librsvg"),
            "imagequant": licences.get("libimagequant")}.get(name)
        if not licence:
            raise SystemExit(f"{vips}/README.md names no licence for {name}")
        yield name, version, re.sub(r"\[(.*?)\]\(.*?\)", r"\1", licence)


def component(name, version, licence, purl, parts=()):
    entry = {"type": "library", "name": name, "version": version, "purl": purl,
             "licenses": [{"license": {"name": licence}}]}
    if parts:
        entry["components"] = list(parts)
    return entry


def sbom(arguments, debian, files):
    npm = json.loads((arguments.vips / "package.json").read_text("utf-8"))
    inside = [component(n, v, licence, f"pkg:generic/{n}@{v}")
              for n, v, licence in vips_components(arguments.vips)]
    components = [component(npm["name"], npm["version"], npm["license"],
                            f"pkg:npm/{npm['name'].replace('@', '%40')}@{npm['version']}", inside)]
    components += [component(n, v, licence, f"pkg:deb/debian/{n}@{v}?arch={arguments.deb_arch}")
                   for n, v, licence, _ in debian]
    components += [{"type": "file", "name": name,
                    "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(data).hexdigest()}]}
                   for name, (data, _) in sorted(files.items())]
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {
            "type": "application", "name": f"imgproc-lambda-{arguments.arch}",
            "version": arguments.version, "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": components,
    }


def gather(arguments):
    """{name in the zip: (bytes, executable)}"""
    vips_libraries = arguments.vips / "lib"
    libraries = collect_libraries([arguments.decoder], [vips_libraries, *arguments.libraries],
                                  arguments.arch)
    programs = {"bootstrap": arguments.bootstrap, "lib/decoder": arguments.decoder}
    programs |= {f"lib/{name}": path for name, path in libraries.items()}
    for name, path in programs.items():
        if elf.machine(path) != elf.MACHINES[arguments.arch]:
            raise SystemExit(f"{path} is for {elf.machine(path)}, not for {arguments.arch}")
    files = {name: (elf.blank_relocated(path.read_bytes()), True)
             for name, path in programs.items()}
    debian = [line.split("\t") for line in arguments.debian.read_text("utf-8").splitlines()]
    files["sbom.cdx.json"] = (
        (json.dumps(sbom(arguments, debian, files), indent=1) + "\n").encode(), False)
    files["LICENSE"] = ((ROOT / "LICENSE").read_bytes(), False)
    files["licenses/libvips.md"] = ((arguments.vips / "README.md").read_bytes(), False)
    for name, _, _, copyright_file in debian:
        files[f"licenses/{name}.txt"] = (pathlib.Path(copyright_file).read_bytes(), False)
    return files


def write_zip(path, files):
    """7-Zip's deflate is 4 % smaller than zlib's best, for some ten seconds of work. It takes names
    in order, and time and permissions (which Lambda unpacks) from the files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.resolve().with_suffix(".part")
    temporary.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, (data, executable) in files.items():
            file = pathlib.Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            file.chmod(0o755 if executable else 0o644)
            os.utime(file, (TIME, TIME))
        subprocess.run(["7z", "a", "-tzip", "-mx=9", "-mfb=258", "-mpass=4", "-mtc=off",
                        temporary, *sorted(files)],
                       cwd=folder, env=os.environ | {"TZ": "UTC"}, check=True,
                       stdout=subprocess.DEVNULL)
    temporary.rename(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--arch", choices=sorted(elf.MACHINES), required=True)
    for name in ("bootstrap", "decoder", "vips", "debian", "output"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--libraries", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--version", required=True)
    arguments = parser.parse_args()
    arguments.deb_arch = {"x86_64": "amd64", "arm64": "arm64"}[arguments.arch]
    write_zip(arguments.output, gather(arguments))
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()
    print(f"{digest}  {arguments.output} ({arguments.output.stat().st_size} bytes)")


if __name__ == "__main__":
    sys.exit(main())
