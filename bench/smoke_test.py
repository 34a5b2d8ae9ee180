#!/usr/bin/env python3
"""A quick run of the whole benchmark, and of the pages that are made of it."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77


def main():
    command = [sys.executable, "-B", ROOT / "bench/run.py", "--quick", "--need-peers",
               *sys.argv[1:]]
    status = subprocess.run(command, check=False).returncode
    if status != 0:
        return status
    quick = ROOT / "build/bench/quick.json"
    results = json.loads(quick.read_text())
    for name in ("ours", "pillow", "sharp"):
        assert results["functions"]["cold"][name]["record_ms"][0] > 0, name
        assert results["functions"]["warm"]["jpeg-2mp"]["five"][name]["peak_rss_mb"] > 0, name
    with tempfile.TemporaryDirectory() as folder:
        for page in ("benchmarks.md", "costs.md"):
            shutil.copy(ROOT / "docs" / page, folder)
        subprocess.run([sys.executable, "-B", ROOT / "bench/report.py", "--results", quick,
                        "--docs", folder], check=True)
        text = (pathlib.Path(folder) / "benchmarks.md").read_text()
        assert results["versions"]["sharp"] in text, "the page has not the figures of this run"
        assert len(list(pathlib.Path(folder).rglob("*.svg"))) == 7, "a plot is missing"
    return 0


if __name__ == "__main__":
    sys.exit(main())
