#!/usr/bin/env python3
"""Puts what run.py has measured into docs/benchmarks.md and docs/costs.md, and draws the plots.

Each page is written by hand but for what stands between <!-- begin NAME --> and <!-- end NAME -->.
"""
import argparse
import json
import pathlib
import re
import statistics

import costs
import goals
import svg
from processes import median, ratio

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = {"ours": "this project", "pillow": "Pillow", "sharp": "sharp", "sharp-careful":
         "sharp, careful", "s3rver": "s3rver", "dynalite": "dynalite", "moto": "moto"}
CLASSES = {"jpeg": "JPEG, 13 MP", "jpeg-progressive": "progressive JPEG, 13 MP",
           "jpeg-2mp": "JPEG, 2 MP", "png": "PNG, 2 MP", "webp": "WebP, 2 MP", "avif": "AVIF, 2 MP",
           "jpeg-100mp": "JPEG, 100 MP"}
SHORT = {"jpeg": "JPEG", "jpeg-progressive": "progressive", "jpeg-2mp": "JPEG 2 MP", "png": "PNG",
         "webp": "WebP", "avif": "AVIF"}
SETS = {"one": "one of 200 px", "five": "five up to 1,600 px"}
COSTS = (("jpeg", "one"), ("jpeg-progressive", "one"), ("jpeg", "five"), ("jpeg-2mp", "one"))
PEERS = ("pillow", "sharp", "sharp-careful")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def with_ratio(entry, name, field):
    """The median, and ours divided by it."""
    if name not in entry or not entry[name].get(field):
        return "–"
    text = number(median(entry[name][field]))
    if name == "ours":
        return text
    return f"{text} ({ratio(entry['ours'][field], entry[name][field]):.2f})"


def machine(results):
    facts, versions = results["machine"], results["versions"]
    lines = [f"- Measured {results['date']} on {facts['processor']}, {facts['cores']} cores, "
             f"{facts['memory_gb']} GB, Linux {facts['kernel']}; load average at the start "
             f"{facts['load_average']:.1f}.",
             "- Pairs: " + ", ".join(f"{part} {count}" for part, count in
                                     results["rounds"].items() if part != "scaling") + ".",
             f"- Pictures: {results['pictures']}.",
             "- Our function: " + ("the Lambda package." if results["package"] else
                                   "the programs of the release build."),
             "- Versions: " + ", ".join(f"{k} {v}" for k, v in versions.items()) + "."]
    return "\n".join(lines)


def cold(results):
    found = results["functions"]["cold"]
    return table(["", "to the first `/next`, ms", "to the first record, ms"],
                 [[NAMES[name], with_ratio(found, name, "next_ms"),
                   with_ratio(found, name, "record_ms")] for name in found])


def warm(results):
    rows = []
    for image, sets in results["functions"]["warm"].items():
        for set_name, entry in sets.items():
            rows.append([CLASSES[image], SETS[set_name]]
                        + [with_ratio(entry, name, "cpu_ms") for name in ("ours", *PEERS)])
    return table(["picture", "renditions"] + [NAMES[n] for n in ("ours", *PEERS)], rows)


def memory(results):
    rows = []
    for image, sets in results["functions"]["warm"].items():
        for set_name, entry in sets.items():
            rows.append([CLASSES[image], SETS[set_name]] + [
                f"{entry[n]['peak_rss_mb']:.0f}" if entry.get(n, {}).get("cpu_ms") else "–"
                for n in ("ours", *PEERS)])
    return table(["picture", "renditions"] + [NAMES[n] for n in ("ours", *PEERS)], rows)


def throughput(results):
    rows = []
    for image, entry in results["functions"]["throughput"].items():
        for name, found in entry.items():
            rows.append([CLASSES[image], NAMES[name], number(median(found["1"])),
                         number(median(found["2"]))])
    return table(["picture", "function", "one worker", "two workers"], rows)


def load(results):
    names, rows = ("ours", "s3rver", "dynalite", "moto"), []
    for operation, entry in results["cloud"]["load"].items():
        large = "mb_per_second" in entry["ours"]
        field = "mb_per_second" if large else "per_second"
        cells = [with_ratio(entry, name, field) for name in names]
        times = "–" if large else (f"{median(entry['ours']['p50_ms']):.2f} / "
                                   f"{median(entry['ours']['p99_ms']):.2f}")
        rows.append([operation + (", MB/s" if large else ", 1/s")] + cells + [times])
    return table(["operation"] + [NAMES[n] for n in names] + ["ours, ms p50 / p99"], rows)


def server_time(results):
    names, rows = ("ours", "s3rver", "dynalite", "moto"), []
    for operation, entry in results["cloud"]["load"].items():
        if entry["ours"].get("cpu_us"):
            rows.append([operation] + [with_ratio(entry, name, "cpu_us") for name in names])
    return table(["operation"] + [NAMES[n] for n in names], rows)


def start(results):
    found = results["cloud"]["start"]
    return table(["", "ready after, ms", "idle memory, MB"],
                 [[NAMES[n], number(median(v["ready_ms"])), number(median(v["idle_mb"]))]
                  for n, v in found.items()])


def latency(results):
    found = results["cloud"]["latency"]
    rows = []
    for field, text in (("whole_ms", "upload sent to record read"),
                        ("overhead_ms", "the same without the image's own work")):
        cut = statistics.quantiles(found[field], n=100)
        rows.append([text, number(cut[49]), number(cut[98])])
    return table(["", "p50, ms", "p99, ms"], rows)


def package(results):
    sizes = results["functions"]["package_bytes"]
    return table(["", "zipped, MB"], [[NAMES[n], f"{size / 1e6:.1f}"] for n, size in sizes.items()
                                      if n != "sharp-careful"])


def goal_table(results):
    rows = [[what, wanted, measured, "yes" if met else "**no**"]
            for what, wanted, measured, met in goals.check(results)]
    return table(["what", "goal", "measured", "reached"], rows)


def cost_tables(results):
    names, parts = ("ours", *PEERS), []
    warm_results = results["functions"]["warm"]
    for image, set_name in COSTS:
        if image not in warm_results:
            continue
        for architecture in costs.PER_GB_SECOND:
            parts.append(f"**{CLASSES[image]}, {SETS[set_name]}, {architecture}**\n")
            entry = warm_results[image][set_name]
            parts.append(table(["memory"] + [NAMES[n] for n in names],
                               costs.table(entry, names, architecture)) + "\n")
    return "\n".join(parts).rstrip()


def plots(results):
    found = results["functions"]["warm"]
    for set_name, text in SETS.items():
        groups = [image for image in found if set_name in found[image] and image != "jpeg-100mp"]
        names = ("ours", "pillow", "sharp") if set_name == "one" else ("ours", *PEERS)
        yield f"cpu-{set_name}", svg.bars(
            f"Processor time per event, {text}", "ms", [SHORT[g] for g in groups],
            {NAMES[n]: [median(found[g][set_name][n]["cpu_ms"])
                        if found[g][set_name].get(n, {}).get("cpu_ms") else None for g in groups]
             for n in names})
    cold_start = results["functions"]["cold"]
    yield "cold-start", svg.bars(
        "Cold start", "ms", ["to the first /next", "to the first record"],
        {NAMES[n]: [median(v["next_ms"]), median(v["record_ms"])] for n, v in cold_start.items()})
    grown = results["scaling"]
    for name, title, unit, x_title, x, y in (
            ("pixels", "Processor time by pixels, one of 200 px", "ms", "megapixels", "megapixels",
             "cpu_ms"),
            ("renditions", "Peak memory by renditions of 400 px", "MB", "renditions", "renditions",
             "peak_rss_mb"),
            ("events", "Memory of one environment by events", "MB", "events", "events", "rss_mb"),
            ("keys", "Memory of imgproc local by what it keeps", "MB",
             "objects, and as many records", "keys", "rss_mb")):
        yield f"scale-{name}", svg.lines(title, unit, x_title, {
            NAMES["ours"]: [(point[x], point[y]) for point in grown[name]]})


def fill(page, blocks):
    text = page.read_text()
    for name, content in blocks.items():
        mark = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        if not mark.search(text):
            raise SystemExit(f"{page} has no place for {name}")
        text = mark.sub(lambda match: match[1] + content + "\n" + match[2], text)
    page.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", default=ROOT / "build/bench/results.json", type=pathlib.Path)
    parser.add_argument("--docs", default=ROOT / "docs", type=pathlib.Path)
    arguments = parser.parse_args()
    results = json.loads(arguments.results.read_text())
    blocks = {make.__name__: make(results)
              for make in (machine, cold, warm, memory, throughput, package, load, server_time,
                           start, latency)}
    fill(arguments.docs / "benchmarks.md", blocks | {"goals": goal_table(results)})
    fill(arguments.docs / "costs.md", {"costs": cost_tables(results)})
    folder = arguments.docs / "benchmarks"
    folder.mkdir(exist_ok=True)
    for name, picture in plots(results):
        (folder / f"{name}.svg").write_text(picture)


if __name__ == "__main__":
    main()
