#!/usr/bin/env python3
"""Fetches libvips for arm64 beside the one of this machine, at the version and integrity hash that
third_party/libvips/package-lock.json names. (npm itself installs for one processor at a time.)
"""
import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

LIBVIPS = pathlib.Path(__file__).resolve().parent.parent / "third_party/libvips"
NAME = "@img/sharp-libvips-linux-arm64"


def main():
    lock = json.loads((LIBVIPS / "package-lock.json").read_text("utf-8"))
    locked = lock["packages"][f"node_modules/{NAME}"]
    target = LIBVIPS / "node_modules" / NAME
    manifest = target / "package.json"
    if manifest.exists():
        if json.loads(manifest.read_text("utf-8"))["version"] == locked["version"]:
            return 0
        shutil.rmtree(target)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        archive = subprocess.run(
            ["npm", "pack", "--silent", "--pack-destination", folder,
             f"{NAME}@{locked['version']}"],
            cwd=LIBVIPS, check=True, capture_output=True, text=True).stdout.strip()
        path = pathlib.Path(folder) / archive.splitlines()[-1]
        digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != locked["integrity"]:
            raise SystemExit(f"{NAME} {locked['version']} is not what package-lock.json names")
        with tarfile.open(path) as tar:
            tar.extractall(folder, filter="data")
        (pathlib.Path(folder) / "package").rename(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
