#!/usr/bin/env python3
"""Tests make_package.py and check_package.py with programs of a few lines: a good package passes
and is the same twice, and each thing that check_package.py is for makes it fail.
"""
import ctypes
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import unittest
import zipfile

import elf

HERE = pathlib.Path(__file__).resolve().parent
ARCH = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]


def run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True)


def compile_cc(output, source, *options):
    result = subprocess.run(["g++", "-x", "c++", "-", "-x", "none", "-o", output, *options],
                            input=source, text=True, capture_output=True)
    if result.returncode:
        raise SystemExit(result.stderr)


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        main = "int main() { return 0; }"
        compile_cc(cls.root / "bootstrap", main, "-static-pie")
        compile_cc(cls.root / "dynamic", main)
        vips = cls.root / "vips"
        (vips / "lib").mkdir(parents=True)
        library = vips / "lib/libvips-cpp.so.1"
        compile_cc(library, "int vips() { return 0; }", "-shared", "-fPIC",
                   "-Wl,-soname,libvips-cpp.so.1")
        compile_cc(cls.root / "hollow.so", "", "-shared", "-fPIC",
                   "-Wl,-soname,libvips-cpp.so.1")
        compile_cc(cls.root / "decoder", "int vips(); int main() { return vips(); }", str(library))
        (vips / "README.md").write_text("| libvips | LGPLv3 |\n| png | [x](https://e.org) |\n")
        (vips / "versions.json").write_text('{"vips": "8.18", "png": "1.6"}')
        (vips / "package.json").write_text('{"name": "@img/v", "version": "1", "license": "L"}')
        (cls.root / "licence").write_text("text\n")
        (cls.root / "debian.tsv").write_text(f"glibc\t2.36\tLGPL\t{cls.root}/licence\n")
        result = cls.make("good.zip")
        if result.returncode:
            raise SystemExit(result.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def make(cls, name, arch=ARCH):
        machine = platform.machine()
        return run(sys.executable, HERE / "make_package.py", "--arch", arch, "--bootstrap",
                   cls.root / "bootstrap", "--decoder", cls.root / "decoder", "--vips",
                   cls.root / "vips", "--libraries", f"/lib/{machine}-linux-gnu",
                   f"/usr/lib/{machine}-linux-gnu", "--debian", cls.root / "debian.tsv",
                   "--version", "0.0.0", "--output", cls.root / name)

    def check(self, change):
        """Checks the good package after `change`, which is given its {name: bytes}."""
        with zipfile.ZipFile(self.root / "good.zip") as archive:
            files = {n: archive.read(n) for n in archive.namelist()}
        change(files)
        with zipfile.ZipFile(self.root / "changed.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return run(sys.executable, HERE / "check_package.py", self.root / "changed.zip")

    def assert_breach(self, message, change):
        result = self.check(change)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(message, result.stdout)

    def test_good_package_passes(self):
        result = self.check(lambda files: None)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("lib/decoder", result.stdout)

    def test_same_inputs_give_the_same_bytes(self):
        os.utime(self.root / "decoder", (1, 1))
        self.assertEqual(self.make("again.zip").returncode, 0)
        self.assertEqual((self.root / "good.zip").read_bytes(),
                         (self.root / "again.zip").read_bytes())

    def test_programs_are_executable_and_time_is_fixed(self):
        with zipfile.ZipFile(self.root / "good.zip") as archive:
            for entry in archive.infolist():
                self.assertEqual(entry.date_time, (1980, 1, 1, 0, 0, 0))
                executable = entry.filename == "bootstrap" or entry.filename.startswith("lib/")
                self.assertEqual(entry.external_attr >> 16, 0o100755 if executable else 0o100644)

    def test_blanked_library_works_as_before(self):
        library = self.root / "words.so"
        compile_cc(library, 'const char* const words[] = {"one", "two"};'
                   'extern "C" const char* word(int i) { return words[i]; }',
                   "-shared", "-fPIC", "-Wl,-z,nopack-relative-relocs")
        data = library.read_bytes()
        blanked = elf.blank_relocated(data)
        library.with_name("blanked.so").write_bytes(blanked)
        word = ctypes.CDLL(str(library.with_name("blanked.so"))).word
        word.restype = ctypes.c_char_p
        self.assertEqual([word(0), word(1)], [b"one", b"two"])
        # Only bytes that were set have become zero; where the linker left none there are none.
        self.assertEqual(len(blanked), len(data))
        self.assertTrue(all(new == old or new == 0 for new, old in zip(blanked, data)))
        if ARCH == "x86_64":
            self.assertNotEqual(blanked, data)

    def test_other_processor_is_refused(self):
        other = {"x86_64": "arm64", "arm64": "x86_64"}[ARCH]
        self.assertNotEqual(self.make("other.zip", other).returncode, 0)

    def test_dynamic_bootstrap(self):
        dynamic = (self.root / "dynamic").read_bytes()
        self.assert_breach("is not static", lambda f: f.update(bootstrap=dynamic))

    def test_missing_library(self):
        self.assert_breach("does not hold", lambda f: f.pop("lib/libvips-cpp.so.1"))

    def test_missing_symbol(self):
        hollow = (self.root / "hollow.so").read_bytes()
        self.assert_breach("needs symbols", lambda f: f.update({"lib/libvips-cpp.so.1": hollow}))

    def test_missing_licences(self):
        def change(files):
            for name in [n for n in files if n.startswith("licenses/")]:
                del files[name]
        self.assert_breach("no licences", change)

    def test_missing_sbom(self):
        self.assert_breach("sbom.cdx.json is missing", lambda f: f.pop("sbom.cdx.json"))

    def test_too_large(self):
        self.assert_breach("more than", lambda f: f.update(ballast=bytes(12_000_001)))

    def test_foreign_code_in_bootstrap(self):
        self.assert_breach("bootstrap contains vips_image_new", lambda f: f.update(
            bootstrap=f["bootstrap"] + b"vips_image_new"))


if __name__ == "__main__":
    unittest.main()
