#!/usr/bin/env python3
"""Runs the benchmark and writes what was measured to build/bench/results.json.

./dev bench calls this with everything installed; by itself it measures what it finds, and says
what is missing.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77  # as ctest is told

PHOTO = "corpus/photos/mei__Kodak_PIXPRO_AZ521.jpg"
PARTS = ("functions", "cloud", "scaling")


def options_of(arguments):
    """How much is measured: whole runs last some twenty minutes, quick ones less than one."""
    quick, keys_max = arguments.quick, 1_000_000 if arguments.long else 40_000
    if quick:
        return types.SimpleNamespace(
            rounds=1, cold_rounds=1, start_rounds=1, batch_seconds=0.0, events_min=1,
            load_seconds=1, latency_events=3, classes=["jpeg-2mp"], large=False, megapixels=(1, 3),
            scaling_events=1, events_max=16, keys_max=400)
    import functions
    import scaling
    return types.SimpleNamespace(
        rounds=arguments.rounds, cold_rounds=2 * arguments.rounds + 1,
        start_rounds=2 * arguments.rounds + 1, batch_seconds=functions.BATCH_SECONDS,
        events_min=functions.EVENTS_MIN, load_seconds=2, latency_events=200,
        classes=functions.classes(), large=True, megapixels=scaling.MEGAPIXELS,
        scaling_events=10, events_max=2000, keys_max=keys_max)


def _first_line(*command):
    try:
        output = subprocess.run(command, capture_output=True, text=True, check=True)
        return output.stdout.strip().splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "not installed"


def _npm_version(folder, name):
    try:
        return json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
    except OSError:
        return "not installed"


def _locked_version(name):
    lock = json.loads((ROOT / "bench/peers/sharp/package-lock.json").read_text())
    return lock["packages"][f"node_modules/{name}"]["version"]


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.+)", info)
    memory_kb = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    return {"processor": model[1] if model else platform.machine(), "cores": os.cpu_count(),
            "memory_gb": round(memory_kb / 1e6), "kernel": platform.release(),
            "load_average": os.getloadavg()[0]}


def versions(build):
    debian = "/usr/bin/python3"
    return {
        "this project": _first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "Python": _first_line(debian, "-c", "import platform; print(platform.python_version())"),
        "Pillow": _first_line(debian, "-c", "import PIL; print(PIL.__version__)"),
        "boto3": _first_line(debian, "-c", "import boto3; print(boto3.__version__)"),
        "Node.js": _first_line("node", "--version"),
        "sharp": _npm_version(build / "sharp", "sharp"),
        "AWS SDK for JavaScript": _locked_version("@aws-sdk/client-s3"),
        "s3rver": _npm_version(ROOT / "build/peers/clients", "s3rver"),
        "dynalite": _npm_version(ROOT / "build/peers/clients", "dynalite"),
        "moto": _first_line("python3", "-c", "import moto; print(moto.__version__)"),
    }


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="see that it works, not how fast")
    parser.add_argument("--long", action="store_true", help="up to a million objects and records")
    parser.add_argument("--rounds", default=5, type=int, help="pairs that a ratio is the median of")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part")
    parser.add_argument("--bin", default=ROOT / "build/release/bin", type=pathlib.Path)
    parser.add_argument("--package", type=pathlib.Path,
                        help="zip of our function (default: the folder of --bin)")
    parser.add_argument("--build", default=ROOT / "build/bench", type=pathlib.Path)
    parser.add_argument("--photo", type=pathlib.Path, help="the picture that all are made of")
    parser.add_argument("--need-peers", action="store_true", help="end with 77 if one is missing")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    os.environ["IMGPROC_BIN"] = str(arguments.bin.resolve())
    try:
        import cloud
        import functions
        import images
        import load
        import scaling
        import servers
    except ImportError as error:
        print(f"skipped: {error}; ./dev bench installs it")
        return SKIPPED
    if not load.available():
        print("skipped: wrk is not installed; ./dev bench installs it")
        return SKIPPED

    def say(text):
        print(text, file=sys.stderr, flush=True)

    options, parts = options_of(arguments), arguments.only or PARTS
    shared = pathlib.Path(os.environ.get("IMGPROC_SHARED", ROOT.parent / "shared"))
    photo = arguments.photo or (shared / PHOTO if (shared / PHOTO).exists() else None)
    imgproc = arguments.bin.resolve() / "imgproc"
    pictures = images.Images(arguments.build / "images", imgproc, photo)
    package = arguments.package.read_bytes() if arguments.package else arguments.bin.resolve()
    pool = servers.Servers(imgproc, ROOT / "build/peers/clients/node_modules")

    target = arguments.build / ("quick.json" if arguments.quick else "results.json")
    results = json.loads(target.read_text()) if target.exists() and arguments.only else {}
    results |= {"machine": machine(), "versions": versions(arguments.build),
                "pictures": pictures.origin, "package": arguments.package is not None,
                "date": datetime.date.today().isoformat()}
    bench = functions.Functions(package, arguments.build, pictures, options, say)
    try:
        missing = bench.missing | pool.missing
        for name, reason in missing.items():
            say(f"without {name}: {reason}")
        if arguments.need_peers and {"pillow", "sharp", "s3rver", "dynalite"} & set(missing):
            print(f"skipped: {'; '.join(missing.values())}")
            return SKIPPED
        measure = {
            "functions": bench.run,
            "cloud": cloud.Cloud(pool, pictures, options, say).run,
            "scaling": scaling.Scaling(bench.deployed["ours"], pool, pictures, options, say).run}
        for part in parts:
            results[part] = measure[part]()
            results.setdefault("rounds", {})[part] = options.rounds
            # Kept at once: what comes next may fail.
            target.write_text(json.dumps(results, indent=1) + "\n")
    finally:
        bench.stop()
        pool.folder.cleanup()
    say(f"written to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
